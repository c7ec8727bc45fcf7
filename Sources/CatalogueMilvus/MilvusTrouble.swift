import Catalogue
import MilvusClient

/// Runs `body`, its errors as the catalogue's.
func translated<Value>(
    isolation: isolated (any Actor)? = #isolation,
    _ body: () async throws(MilvusError) -> Value
) async throws(CatalogueError) -> Value {
    do throws(MilvusError) {
        return try await body()
    } catch {
        throw CatalogueError(error)
    }
}

extension CatalogueError {
    init(_ error: MilvusError) {
        switch error.code {
        case .unavailable, .timedOut, .cancelled:
            self.init(.unavailable, "Milvus: \(error.message)", cause: error.cause)
        case .unauthorised:
            self.init(
                .unusable,
                "Milvus: \(error.message); check [Milvus] user and password, or token",
                cause: error.cause
            )
        case .notFound, .malformed:
            self.init(.unusable, "Milvus: \(error.message)", cause: error.cause)
        case .rejected: self.init(.rejected, "Milvus: \(error.message)", cause: error.cause)
        }
    }
}
