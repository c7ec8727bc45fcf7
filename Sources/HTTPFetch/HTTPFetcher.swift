import CCurl
import Foundation
import Synchronization

/// Sends HTTP requests with libcurl.
///
/// libcurl blocks, so requests run on threads of a queue of their own; a few at once, each with a
/// handle that keeps its connection for the next request.
public final class HTTPFetcher: Sendable {
    /// Requests under way at once; more wait.
    private static let parallel = 4

    private let queue = OperationQueue()
    private let idle = Mutex<[Handle]>([])

    /// `@unchecked Sendable`: a handle is used by one request at a time, which took it out of the
    /// list of idle ones.
    private struct Handle: @unchecked Sendable {
        let raw: UnsafeMutableRawPointer
    }

    /// Not thread-safe in libcurl; a static is made once.
    private static let isReady = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

    public init() {
        queue.maxConcurrentOperationCount = Self.parallel
    }

    deinit {
        for handle in idle.withLock({ $0 }) { curl_easy_cleanup(handle.raw) }
    }

    /// Sends `request` and waits for the whole answer; redirects are not followed.
    ///
    /// - Parameter request: What to send.
    /// - Returns: The answer, whatever its status.
    /// - Throws: ``HTTPError``; its message never holds headers or the query.
    public func send(_ request: HTTPRequest) async throws(HTTPError) -> HTTPResponse {
        let transfer = Transfer(request)
        return try await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                queue.addOperation { [self] in
                    continuation.resume(returning: perform(transfer))
                }
            }
        } onCancel: {
            transfer.isCancelled.store(true, ordering: .relaxed)
        }.get()
    }

    private func perform(_ transfer: Transfer) -> Result<HTTPResponse, HTTPError> {
        guard !transfer.isCancelled.load(ordering: .relaxed) else {
            return .failure(HTTPError(code: .cancelled, message: "was given up"))
        }
        let kept = idle.withLock { $0.popLast() }
        guard Self.isReady, let handle = kept ?? curl_easy_init().map(Handle.init) else {
            return .failure(HTTPError(code: .invalid, message: "libcurl cannot be used"))
        }
        defer {
            curl_easy_reset(handle.raw)
            idle.withLock { $0.append(handle) }
        }
        return transfer.perform(handle.raw)
    }
}

/// One request under way, on one thread.
///
/// `@unchecked Sendable`: made by the caller, then touched only by the thread that performs it,
/// except for the flag, which is atomic.
private final class Transfer: @unchecked Sendable {
    let request: HTTPRequest
    let isCancelled = Atomic(false)
    private var body: [UInt8] = []
    private var headers: [String: String] = [:]
    private var isTooLong = false

    init(_ request: HTTPRequest) {
        self.request = request
    }

    func perform(_ handle: UnsafeMutableRawPointer) -> Result<HTTPResponse, HTTPError> {
        var list: UnsafeMutablePointer<curl_slist>?
        defer { curl_slist_free_all(list) }
        // An empty Expect keeps libcurl from waiting for "100 Continue".
        for (name, value) in request.headers + [("Expect", "")] {
            guard !(name + value).contains(where: \.isNewline) else {
                return .failure(HTTPError(code: .invalid, message: "a header has a line feed"))
            }
            list = curl_slist_append(list, value.isEmpty ? "\(name):" : "\(name): \(value)")
        }
        configure(handle, list)
        let result = (request.body ?? []).withUnsafeBytes { bytes in
            if request.body != nil {
                let pointer = UnsafeMutableRawPointer(mutating: bytes.baseAddress)
                sync2nas_curl_set_long(handle, CURLOPT_POSTFIELDSIZE, bytes.count)
                sync2nas_curl_set_pointer(handle, CURLOPT_POSTFIELDS, pointer)
            }
            sync2nas_curl_set_text(handle, CURLOPT_CUSTOMREQUEST, request.method)
            return curl_easy_perform(handle)
        }
        guard result == CURLE_OK else { return .failure(error(result)) }
        var status = 0
        sync2nas_curl_get_long(handle, CURLINFO_RESPONSE_CODE, &status)
        return .success(HTTPResponse(status: status, headers: headers, body: body))
    }

    private func configure(
        _ handle: UnsafeMutableRawPointer,
        _ list: UnsafeMutablePointer<curl_slist>?
    ) {
        let context = Unmanaged.passUnretained(self).toOpaque()
        sync2nas_curl_set_text(handle, CURLOPT_URL, request.url)
        sync2nas_curl_set_text(handle, CURLOPT_PROTOCOLS_STR, "http,https")
        sync2nas_curl_set_text(handle, CURLOPT_ACCEPT_ENCODING, "")
        sync2nas_curl_set_text(handle, CURLOPT_USERAGENT, "Sync2NAS")
        // Signals belong to the program, and libcurl would use SIGALRM.
        sync2nas_curl_set_long(handle, CURLOPT_NOSIGNAL, 1)
        sync2nas_curl_set_long(handle, CURLOPT_FOLLOWLOCATION, 0)
        sync2nas_curl_set_long(
            handle,
            CURLOPT_CONNECTTIMEOUT_MS,
            Int(request.connectTimeout / .milliseconds(1))
        )
        sync2nas_curl_set_long(
            handle,
            CURLOPT_TIMEOUT_MS,
            Int(request.timeout / .milliseconds(1))
        )
        sync2nas_curl_set_headers(handle, list)
        sync2nas_curl_set_pointer(handle, CURLOPT_WRITEDATA, context)
        sync2nas_curl_set_sink(handle, CURLOPT_WRITEFUNCTION) { bytes, size, count, context in
            Transfer.from(context)?.take(bytes, size * count) ?? 0
        }
        sync2nas_curl_set_pointer(handle, CURLOPT_HEADERDATA, context)
        sync2nas_curl_set_sink(handle, CURLOPT_HEADERFUNCTION) { bytes, size, count, context in
            Transfer.from(context)?.takeHeader(bytes, size * count) ?? 0
        }
        sync2nas_curl_set_long(handle, CURLOPT_NOPROGRESS, 0)
        sync2nas_curl_set_pointer(handle, CURLOPT_XFERINFODATA, context)
        sync2nas_curl_set_progress(handle) { context, _, _, _, _ in
            Transfer.from(context)?.isCancelled.load(ordering: .relaxed) ?? true ? 1 : 0
        }
    }

    private static func from(_ context: UnsafeMutableRawPointer?) -> Transfer? {
        context.map { Unmanaged<Transfer>.fromOpaque($0).takeUnretainedValue() }
    }

    private func take(_ bytes: UnsafeMutablePointer<CChar>?, _ count: Int) -> Int {
        guard body.count + count <= request.mostBytes else {
            isTooLong = true
            return 0
        }
        body += UnsafeRawBufferPointer(start: bytes, count: count)
        return count
    }

    private func takeHeader(_ bytes: UnsafeMutablePointer<CChar>?, _ count: Int) -> Int {
        let line = String(
            decoding: UnsafeRawBufferPointer(start: bytes, count: count),
            as: UTF8.self
        )
        if let colon = line.firstIndex(of: ":") {
            let value = line[line.index(after: colon)...]
            headers[line[..<colon].lowercased()] =
                value.trimmingCharacters(in: .whitespacesAndNewlines)
        }
        return count
    }

    private func error(_ result: CURLcode) -> HTTPError {
        let place = request.place
        let words = String(cString: curl_easy_strerror(result))
        switch result {
        case CURLE_ABORTED_BY_CALLBACK:
            return HTTPError(code: .cancelled, message: "was given up")
        case CURLE_OPERATION_TIMEDOUT:
            return HTTPError(code: .timedOut, message: "\(place) did not answer in time")
        case CURLE_WRITE_ERROR where isTooLong:
            return HTTPError(
                code: .malformed,
                message: "\(place) sent more than \(request.mostBytes) bytes"
            )
        case CURLE_PARTIAL_FILE, CURLE_GOT_NOTHING, CURLE_WEIRD_SERVER_REPLY,
            CURLE_BAD_CONTENT_ENCODING:
            return HTTPError(code: .malformed, message: "\(place) sent a broken answer (\(words))")
        case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL:
            return HTTPError(code: .invalid, message: "'\(place)' is no http address (\(words))")
        default:
            return HTTPError(code: .unreachable, message: "cannot reach \(place) (\(words))")
        }
    }
}
