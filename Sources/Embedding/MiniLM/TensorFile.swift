import Foundation
import Glibc

/// A file of tensors in the format "safetensors" (github.com/huggingface/safetensors, README):
/// the length of a header, the header in JSON, and the numbers of all tensors.
///
/// The file is mapped, so that what is never used is never read. Whoever replaces it does so by a
/// rename: a mapped file that becomes shorter ends the program when it is read.
///
/// `@unchecked Sendable`: the memory is only read, and unmapped when nobody has it any more.
final class TensorFile: @unchecked Sendable {
    private struct Tensor {
        let type: String
        let shape: [Int]
        let bytes: Range<Int>
    }

    /// A header is some kilobytes; a longer one is no header.
    private static let longestHeader = 16 << 20
    /// More than any file has, and little enough to be added without a check.
    private static let mostBytes = 1 << 40

    private let path: String
    private let memory: UnsafeRawBufferPointer
    private let tensors: [String: Tensor]

    init(path: String) throws(EmbeddingError) {
        self.path = path
        memory = try Self.map(path)
        do throws(EmbeddingError) {
            tensors = try Self.tensors(in: memory, path)
        } catch {
            munmap(UnsafeMutableRawPointer(mutating: memory.baseAddress), memory.count)
            throw error
        }
    }

    deinit {
        munmap(UnsafeMutableRawPointer(mutating: memory.baseAddress), memory.count)
    }

    /// The numbers of one tensor, row by row; valid while this object lives.
    ///
    /// - Parameters:
    ///   - name: As in the header.
    ///   - shape: What the caller counts on.
    /// - Returns: As many numbers as the shape has.
    /// - Throws: ``EmbeddingError`` with code `.notConfigured` when there is no such tensor.
    func floats(
        _ name: String,
        _ shape: [Int]
    ) throws(EmbeddingError) -> UnsafeBufferPointer<Float> {
        guard let tensor = tensors[name] else {
            throw Self.foreign(path, "it has no tensor '\(name)'")
        }
        guard tensor.type == "F32", tensor.shape == shape else {
            throw Self.foreign(
                path,
                "'\(name)' is \(tensor.type) \(tensor.shape), not F32 \(shape)"
            )
        }
        return UnsafeRawBufferPointer(rebasing: memory[tensor.bytes])
            .assumingMemoryBound(to: Float.self)
    }

    private static func foreign(_ path: String, _ why: String) -> EmbeddingError {
        EmbeddingError(
            .notConfigured,
            "'\(path)' is not the file of all-MiniLM-L6-v2: \(why); fetch it again"
        )
    }

    private static func map(_ path: String) throws(EmbeddingError) -> UnsafeRawBufferPointer {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw EmbeddingError(
                .notConfigured,
                """
                cannot open '\(path)': \(String(cString: strerror(errno))); \
                put model.safetensors and vocab.txt of all-MiniLM-L6-v2 there
                """
            )
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
            status.st_size >= 8
        else { throw foreign(path, "it is no file, or has fewer than 8 bytes") }
        let memory = mmap(nil, Int(status.st_size), PROT_READ, MAP_PRIVATE, descriptor, 0)
        guard let memory, memory != MAP_FAILED else {
            throw EmbeddingError(
                .unavailable,
                "cannot map '\(path)': \(String(cString: strerror(errno)))"
            )
        }
        return UnsafeRawBufferPointer(start: memory, count: Int(status.st_size))
    }

    private static func tensors(
        in memory: UnsafeRawBufferPointer,
        _ path: String
    ) throws(EmbeddingError) -> [String: Tensor] {
        let length = UInt64(littleEndian: memory.loadUnaligned(as: UInt64.self))
        guard length <= longestHeader, length <= memory.count - 8 else {
            throw foreign(path, "\(memory.count) bytes cannot hold a header of \(length)")
        }
        let start = 8 + Int(length)
        let header = try? JSONSerialization.jsonObject(with: Data(memory[8..<start]))
        guard let header = header as? [String: Any] else {
            throw foreign(path, "its header is no JSON object")
        }
        var tensors: [String: Tensor] = [:]
        for (name, value) in header where name != "__metadata__" {
            let tensor = try tensor(name, value, path)
            let bytes = (start + tensor.bytes.lowerBound)..<(start + tensor.bytes.upperBound)
            guard bytes.upperBound <= memory.count else {
                throw foreign(
                    path,
                    "it ends at byte \(memory.count), and '\(name)' at \(bytes.upperBound)"
                )
            }
            guard tensor.type != "F32" || bytes.lowerBound % MemoryLayout<Float>.alignment == 0
            else { throw foreign(path, "'\(name)' begins at byte \(bytes.lowerBound)") }
            tensors[name] = Tensor(type: tensor.type, shape: tensor.shape, bytes: bytes)
        }
        return tensors
    }

    /// What the header says of one tensor; its bytes count from the end of the header.
    private static func tensor(
        _ name: String,
        _ value: Any,
        _ path: String
    ) throws(EmbeddingError) -> Tensor {
        guard let fields = value as? [String: Any],
            let type = fields["dtype"] as? String, let shape = fields["shape"] as? [Int],
            let offsets = fields["data_offsets"] as? [Int], offsets.count == 2,
            0 <= offsets[0], offsets[0] <= offsets[1], offsets[1] <= mostBytes
        else { throw foreign(path, "its header is wrong about '\(name)'") }
        let bytes = offsets[0]..<offsets[1]
        guard type != "F32" || elements(shape) == bytes.count / MemoryLayout<Float>.size else {
            throw foreign(path, "'\(name)' has not the bytes of its shape")
        }
        return Tensor(type: type, shape: shape, bytes: bytes)
    }

    /// nil when there are more than can be.
    private static func elements(_ shape: [Int]) -> Int? {
        var count = 1
        for size in shape {
            let (product, overflow) = count.multipliedReportingOverflow(by: size)
            guard size >= 0, !overflow, product <= mostBytes else { return nil }
            count = product
        }
        return count
    }
}
