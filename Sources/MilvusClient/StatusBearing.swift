/// An answer that says whether the call succeeded; gRPC's own status is OK either way.
protocol StatusBearing {
    var outcome: MVStatus { get }
}

extension MVStatus: StatusBearing {
    var outcome: MVStatus { self }
}

extension MVBoolResponse: StatusBearing { var outcome: MVStatus { status } }
extension MVConnectResponse: StatusBearing { var outcome: MVStatus { status } }
extension MVDescribeIndexResponse: StatusBearing { var outcome: MVStatus { status } }
extension MVFlushResponse: StatusBearing { var outcome: MVStatus { status } }
extension MVGetLoadStateResponse: StatusBearing { var outcome: MVStatus { status } }
extension MVGetVersionResponse: StatusBearing { var outcome: MVStatus { status } }
extension MVMutationResult: StatusBearing { var outcome: MVStatus { status } }
extension MVQueryResults: StatusBearing { var outcome: MVStatus { status } }
extension MVSearchResults: StatusBearing { var outcome: MVStatus { status } }
extension MVShowCollectionsResponse: StatusBearing { var outcome: MVStatus { status } }

/// What a server says against a request, in its own words and numbers.
struct Refusal: Error, CustomStringConvertible {
    let code: Int32
    let errorCode: Int
    let reason: String

    /// The collection is not in the server's memory.
    ///
    /// Milvus Lite 3 forgets that it was when it is started anew.
    var isForWantOfLoading: Bool { code == 101 }

    var description: String {
        "'\(reason.prefix(500))' (code \(code), error code \(errorCode))"
    }
}

extension MilvusError {
    /// The refusal at the bottom of the causes, if there is one.
    var refusal: Refusal? { cause as? Refusal ?? (cause as? MilvusError)?.refusal }
}

extension MVStatus {
    /// - Throws: ``MilvusError`` unless both of its codes are 0: `code` is new, `error_code` is what
    ///   servers before 2.3 have, and each may be set alone.
    func check() throws(MilvusError) {
        guard code != 0 || errorCode != .success else { return }
        let refusal = Refusal(code: code, errorCode: errorCode.rawValue, reason: reason)
        throw MilvusError(reaction, "the server refuses", cause: refusal)
    }

    /// `code` has the numbers of pkg/util/merr/errors.go of Milvus.
    ///
    /// Its numbers below 100 are not used: those worth a retry say so themselves, and Milvus Lite 3
    /// puts numbers of its own there.
    private var reaction: MilvusError.Code {
        guard !retriable else { return .unavailable }
        return switch code {
        case 0: oldReaction
        // Not loaded, no replica, no channel.
        case 101, 401, 503: .unavailable
        // No collection, partition, index, database, alias, field.
        case 100, 200, 700, 800, 1600, 1700: .notFound
        // Not logged in, not allowed.
        case 1400, 1401, 1800: .unauthorised
        case 10_001: .timedOut
        default: oldReaction
        }
    }

    private var oldReaction: MilvusError.Code {
        switch errorCode {
        case .connectFailed, .rateLimit, .forceDeny, .notReadyServe, .notReadyCoordActivating,
            .timeTickLongDelay, .noReplicaAvailable, .notShardLeader, .dataCoordNa:
            .unavailable
        case .collectionNotExists, .collectionNameNotFound, .indexNotExist: .notFound
        case .permissionDenied: .unauthorised
        default: .rejected
        }
    }
}
