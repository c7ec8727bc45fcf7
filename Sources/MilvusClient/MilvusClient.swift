import SwiftProtobuf
import Synchronization

/// A Milvus server, asked over gRPC.
///
/// Every call may be made at any time from any task; calls share one connection, which is made
/// when it is first needed and again when it was lost. A call that fails is not repeated here,
/// unless the server certainly never looked at it. Each remote call is bounded by
/// ``MilvusServer/callTimeout``, and ends at once when its task is cancelled.
///
/// Checked against Milvus Lite 2.5.1 and 3.2.2. There are no transactions: of two upserts the
/// second may fail alone. Reads see every write that was answered before ("Strong" consistency).
public final class MilvusClient: Sendable {
    /// The path of the service, which no server version ever changed.
    private static let service = "/milvus.proto.milvus.MilvusService/"

    public let server: MilvusServer
    private let channel: GRPCChannel
    /// Whether the server reads every row that an upsert replaces, which takes it longer than to
    /// remove and to insert them: Milvus Lite since it is written in Python.
    private let isSlowToUpsert = Atomic(false)

    /// - Parameter server: Nothing is sent to it yet.
    public init(_ server: MilvusServer) {
        self.server = server
        channel = GRPCChannel(server)
    }

    /// Checks that a Milvus server answers, accepts the login and is new enough.
    ///
    /// - Returns: The server's version in its own words, such as "v2.5.1"; empty when it does not
    ///   say, as Milvus Lite 2.5.1.
    /// - Throws: ``MilvusError``; `.rejected` for a version before 2.3.
    public func connect() async throws(MilvusError) -> String {
        let purpose = "connect to '\(server.authority)'"
        var request = MVConnectRequest()
        request.base = .of(.connect)
        request.clientInfo.sdkType = "Swift"
        let answer: MVConnectResponse = try await call(.connect, request, purpose)
        let words = try await version(purpose) ?? answer.serverInfo.buildTags
        guard ServerVersion(words).map({ $0 >= .oldest }) ?? true else {
            let needed = "Milvus 2.3 or later is needed, and this is '\(words)'"
            throw MilvusError(.rejected, "cannot \(purpose): \(needed)")
        }
        let isPython = words.contains("lite") && (ServerVersion(words)?.major ?? 0) >= 3
        isSlowToUpsert.store(isPython, ordering: .relaxed)
        return words
    }

    /// Whether thousands of rows are better removed and inserted than upserted.
    var prefersInserts: Bool { isSlowToUpsert.load(ordering: .relaxed) }

    /// Nil when the server has no such call, as Milvus Lite 2.5.1.
    private func version(_ purpose: String) async throws(MilvusError) -> String? {
        do throws(MilvusError) {
            let request = MVGetVersionRequest()
            let answer: MVGetVersionResponse = try await call(.getVersion, request, purpose)
            return answer.version
        } catch {
            guard error.code == .rejected else { throw error }
            return nil
        }
    }

    /// Ends the connection; calls under way and later ones fail with `.cancelled`.
    ///
    /// A client that is dropped ends its connection too, but nobody waits for that.
    public func close() async {
        await channel.close()
    }

    /// Makes one call.
    ///
    /// - Parameters:
    ///   - rpc: Which.
    ///   - request: Its argument.
    ///   - purpose: For messages: "query 'episodes'".
    /// - Returns: The answer, whose status is success.
    /// - Throws: ``MilvusError``; its cause says more.
    func call<Request: Message, Answer: Message & StatusBearing>(
        _ rpc: RemoteProcedure,
        _ request: Request,
        _ purpose: String
    ) async throws(MilvusError) -> Answer {
        try await measuredCall(rpc, request, purpose).answer
    }

    /// As `call`, with the size of the encoded answer.
    func measuredCall<Request: Message, Answer: Message & StatusBearing>(
        _ rpc: RemoteProcedure,
        _ request: Request,
        _ purpose: String
    ) async throws(MilvusError) -> (answer: Answer, bytes: Int) {
        do throws(MilvusError) {
            let bytes = try Self.encoded(request)
            let received = try await channel.call(Self.service + rpc.rawValue, bytes)
            let answer: Answer = try Self.decoded(received)
            try answer.outcome.check()
            return (answer, received.count)
        } catch {
            throw MilvusError(error.code, "cannot \(purpose)", cause: error)
        }
    }

    private static func encoded(_ request: some Message) throws(MilvusError) -> [UInt8] {
        do {
            return try request.serializedBytes()
        } catch {
            throw MilvusError(.rejected, "the request cannot be encoded", cause: error)
        }
    }

    private static func decoded<Answer: Message>(
        _ bytes: ArraySlice<UInt8>
    ) throws(MilvusError) -> Answer {
        do {
            return try Answer(serializedBytes: Array(bytes))
        } catch {
            throw MilvusError(.malformed, "the answer cannot be decoded", cause: error)
        }
    }
}
