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
///
/// Two blocks of 1 MiB, which is what one fetch brings, share a huge page: copying into it, writing
/// it to the disk and handing it to the kernel then touch one page instead of 256 (measured:
/// reading a file for the first time is 5 % faster). Such a page goes back when both are free.
private final class PagePool: Sendable {
    static let shared = PagePool()

    /// Smaller ones are left to malloc(3).
    private static let least = 64 << 10
    /// Larger ones are too rare to be kept.
    private static let most = 2 << 20
    private static let half = 1 << 20
    /// Bytes that are kept at most, beside halves of huge pages that are in use.
    private static let kept = 12 << 20

    private struct Free {
        var blocks: [Int: [Block]] = [:]
        var bytes = 0

        mutating func take(_ size: Int) -> Block? {
            let blocks = blocks[size] ?? []
            // A page that is used already is filled first, so that others become free as a whole.
            let isUsed = { (block: Block) in size == half && !blocks.contains(block.otherHalf) }
            guard let index = blocks.lastIndex(where: isUsed) ?? blocks.indices.last else {
                return nil
            }
            bytes -= size
            return self.blocks[size]?.remove(at: index)
        }

        mutating func add(_ block: Block, _ size: Int) {
            blocks[size, default: []].append(block)
            bytes += size
        }

        /// - Returns: Whether the other half of its huge page was free, and is taken out.
        mutating func takeOtherHalf(of block: Block) -> Bool {
            guard let index = blocks[half]?.firstIndex(of: block.otherHalf) else { return false }
            blocks[half]?.remove(at: index)
            bytes -= half
            return true
        }
    }

    /// The address of memory that nobody uses.
    private struct Block: Equatable {
        let address: UInt

        init(address: UInt) { self.address = address }

        init(_ memory: UnsafeMutableRawPointer) { address = UInt(bitPattern: memory) }

        var memory: UnsafeMutableRawPointer? { UnsafeMutableRawPointer(bitPattern: address) }
        var otherHalf: Block { Block(address: address ^ UInt(half)) }
        var hugePage: Block { Block(address: address & ~UInt(half)) }
    }

    private let free = Lock(Free())

    func take(_ count: Int) -> UnsafeMutableRawBufferPointer {
        let size = Self.size(count)
        guard size >= Self.least else {
            return .allocate(byteCount: size, alignment: 16)
        }
        let block = free.withLock { $0.take(size) } ?? map(size)
        return UnsafeMutableRawBufferPointer(start: block.memory, count: size)
    }

    private func map(_ size: Int) -> Block {
        guard size == Self.half else { return Block(Self.mapped(size)) }
        // Where it lies is the kernel's choice: as much again has room for one that lies well.
        let whole = 2 * size
        let start = UInt(bitPattern: Self.mapped(2 * whole))
        let page = Block(address: (start + UInt(whole) - 1) & ~UInt(whole - 1))
        munmap(Block(address: start).memory, Int(page.address - start))
        let rest = page.address + UInt(whole)
        munmap(Block(address: rest).memory, Int(start + UInt(2 * whole) - rest))
        madvise(page.memory, whole, MADV_HUGEPAGE)
        free.withLock { $0.add(page.otherHalf, size) }
        return page
    }

    private static func mapped(_ size: Int) -> UnsafeMutableRawPointer {
        let flags = MAP_PRIVATE | MAP_ANONYMOUS
        let memory = mmap(nil, size, PROT_READ | PROT_WRITE, flags, -1, 0)
        // As with any memory in Swift; the next process takes the mount over.
        guard let memory, memory != MAP_FAILED else {
            fatalError("no memory for \(size) bytes: \(String(cString: strerror(errno)))")
        }
        return memory
    }

    func giveBack(_ memory: UnsafeMutableRawBufferPointer) {
        guard memory.count >= Self.least, let start = memory.baseAddress else {
            return memory.deallocate()
        }
        let (block, size) = (Block(start), memory.count)
        let unused: (Block, Int)? = free.withLock { free in
            if size <= Self.most, free.bytes + size <= Self.kept {
                free.add(block, size)
            } else if size != Self.half {
                return (block, size)
            } else if free.takeOtherHalf(of: block) {
                return (block.hugePage, 2 * size)
            } else {
                free.add(block, size)
            }
            return nil
        }
        if let unused { munmap(unused.0.memory, unused.1) }
    }

    private static func size(_ count: Int) -> Int {
        guard count > least / 2 else { return count }
        if count > most { return (count + 4095) / 4096 * 4096 }
        return max(least, 1 << (Int.bitWidth - (count - 1).leadingZeroBitCount))
    }
}
