import Glibc

/// Bytes on their way from the seedbox to the disk and to readers: whole pages, used again.
///
/// Memory of this size comes from the kernel page by page, cleared, and costs more than what is
/// copied into it; so what nobody refers to any more is kept for the next.
///
/// `@unchecked Sendable`: whoever makes one fills it before anybody else gets to see it, and from
/// then on it is only read.
public final class Bytes: @unchecked Sendable {
    public let count: Int
    private let memory: UnsafeMutableRawBufferPointer

    /// Room for `count` bytes, not cleared: at the start of a page when that is a page or more.
    public init(count: Int) {
        self.count = count
        memory = PagePool.shared.take(max(count, 1))
    }

    /// A copy of `array`.
    public convenience init(_ array: [UInt8]) {
        self.init(count: array.count)
        array.withUnsafeBytes { mutable.copyMemory(from: $0) }
    }

    deinit {
        PagePool.shared.giveBack(memory)
    }

    /// The bytes, valid while this object lives.
    public func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(UnsafeRawBufferPointer(rebasing: memory[..<count]))
    }

    /// For filling; valid while this object lives, and not to be used once others see it.
    public var mutable: UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(rebasing: memory[..<count])
    }
}

extension Bytes: Equatable {
    public static func == (one: Bytes, other: Bytes) -> Bool {
        one.withUnsafeBytes { one in other.withUnsafeBytes { one.elementsEqual($0) } }
    }
}

extension [UInt8] {
    public init(_ bytes: Bytes) {
        self = bytes.withUnsafeBytes { Array($0) }
    }
}

/// Some of the bytes of a ``Bytes``, without a copy.
public struct ByteSlice: Sendable {
    private let bytes: Bytes
    private let range: Range<Int>

    public init(_ bytes: Bytes, _ range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count)
        self.bytes = bytes
        self.range = range
    }

    public init(_ bytes: Bytes) { self.init(bytes, 0..<bytes.count) }

    public var count: Int { range.count }

    /// `count` of these bytes from `offset` on.
    public func part(_ offset: Int, _ count: Int) -> ByteSlice {
        let start = range.lowerBound + offset
        precondition(offset >= 0 && start + count <= range.upperBound)
        return ByteSlice(bytes, start..<start + count)
    }

    public func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        bytes.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[range])) }
    }
}

/// Memory that was used and is free, by size: powers of two from 64 KiB on.
private final class PagePool: Sendable {
    static let shared = PagePool()

    /// Smaller ones are left to malloc(3).
    private static let least = 64 << 10
    /// Larger ones are too rare to be kept.
    private static let most = 2 << 20
    /// Bytes that are kept at most.
    private static let kept = 12 << 20

    /// `@unchecked Sendable`: an address that nobody else has.
    private struct Free: @unchecked Sendable {
        var blocks: [Int: [UnsafeMutableRawPointer]] = [:]
        var bytes = 0
    }

    private let free = Lock(Free())

    func take(_ count: Int) -> UnsafeMutableRawBufferPointer {
        let size = Self.size(count)
        guard size >= Self.least else {
            return .allocate(byteCount: size, alignment: 16)
        }
        let known: FreeBlock = free.withLock { free in
            guard let block = free.blocks[size]?.popLast() else { return FreeBlock(address: nil) }
            free.bytes -= size
            return FreeBlock(address: block)
        }
        if let block = known.address {
            return UnsafeMutableRawBufferPointer(start: block, count: size)
        }
        let flags = MAP_PRIVATE | MAP_ANONYMOUS
        let block = mmap(nil, size, PROT_READ | PROT_WRITE, flags, -1, 0)
        // As with any memory in Swift; the next process takes the mount over.
        guard let block, block != MAP_FAILED else {
            fatalError("no memory for \(size) bytes: \(String(cString: strerror(errno)))")
        }
        return UnsafeMutableRawBufferPointer(start: block, count: size)
    }

    func giveBack(_ memory: UnsafeMutableRawBufferPointer) {
        guard memory.count >= Self.least, let block = memory.baseAddress else {
            return memory.deallocate()
        }
        let address = FreeBlock(address: block)
        let size = memory.count
        let isKept = free.withLock { free in
            guard size <= Self.most, free.bytes + size <= Self.kept, let block = address.address
            else { return false }
            free.blocks[size, default: []].append(block)
            free.bytes += size
            return true
        }
        if !isKept { munmap(block, size) }
    }

    /// `@unchecked Sendable`: an address that nobody else has.
    private struct FreeBlock: @unchecked Sendable {
        let address: UnsafeMutableRawPointer?
    }

    private static func size(_ count: Int) -> Int {
        guard count > least / 2 else { return count }
        if count > most { return (count + 4095) / 4096 * 4096 }
        return max(least, 1 << (Int.bitWidth - (count - 1).leadingZeroBitCount))
    }
}
