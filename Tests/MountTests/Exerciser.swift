import Foundation
import Glibc
import StandIns
import Synchronization
import Testing

/// Readers that do everything a program may do with a file, at random, and compare each byte.
///
/// The seed is printed with what goes wrong; `SYNC2NAS_FAULT_SEED` repeats it.
final class Exerciser: Sendable {
    /// What happened.
    struct Tally: Sendable {
        var reads = 0
        var bytes = 0
        /// By errno.
        var errors: [Int32: Int] = [:]
        var wrong: [String] = []
        /// The longest that `ls`, `stat` and `df` took together, seconds.
        var slowestLook = 0.0
        var looks = 0

        var line: String {
            let errors = errors.sorted { $0.key < $1.key }
                .map { "\($0.value) × \(String(cString: strerror($0.key)))" }
            return "\(reads) reads, \(bytes >> 20) MiB, \(wrong.count) wrong; "
                + (errors.isEmpty ? "no error" : errors.joined(separator: ", "))
                + String(format: "; %d looks, slowest %.3f s", looks, slowestLook)
        }
    }

    /// A file of the library and what it reads as.
    struct File: Sendable {
        let path: String
        let contents: Data
    }

    /// Seconds that one scenario takes; the long run sets it.
    static let seconds =
        ProcessInfo.processInfo.environment["SYNC2NAS_FAULT_SECONDS"].flatMap(Double.init) ?? 4
    /// Whether this is the long run, whose machine has nothing else to do.
    static let isLongRun = ProcessInfo.processInfo.environment["SYNC2NAS_FAULT_SECONDS"] != nil
    static let seed =
        ProcessInfo.processInfo.environment["SYNC2NAS_FAULT_SEED"].flatMap(UInt64.init)
        ?? UInt64.random(in: 1...999_999)

    private let mountpoint: String
    private let files: [File]
    private let tally = Mutex(Tally())
    private let isOver = Atomic(false)
    private let running = DispatchGroup()

    init(_ mountpoint: String, _ files: [File]) {
        self.mountpoint = mountpoint
        self.files = files
    }

    /// Exercises with `readers` while `fault` does its worst, then ends.
    ///
    /// - Parameters:
    ///   - readers: Threads.
    ///   - seconds: At least so long.
    ///   - reads: And until so many reads have come, within two minutes more.
    ///   - fault: Called again and again with the number of its call, until that is over.
    /// - Returns: What happened.
    func run(
        readers: Int = 8,
        seconds: Double = 0,
        reads: Int = 0,
        _ fault: (Int) throws -> Void
    ) rethrows -> Tally {
        for number in 0..<readers {
            start { self.read(SeededRandom(seed: Self.seed &+ UInt64(number) &* 7919)) }
        }
        start { self.look() }
        let end = Date().addingTimeInterval(max(seconds, Self.seconds))
        var round = 0
        defer { isOver.store(true, ordering: .relaxed) }
        let last = end.addingTimeInterval(120)
        while Date() < end || tally.withLock({ $0.reads < reads }) && Date() < last {
            try fault(round)
            round += 1
        }
        isOver.store(true, ordering: .relaxed)
        return finish()
    }

    /// Exercises with eight readers and no fault.
    func run() -> Tally { run { _ in usleep(50_000) } }

    /// Waits for the readers: each must come back within the deadline of a read.
    private func finish() -> Tally {
        let isBack = running.wait(timeout: .now() + 60) == .success
        return tally.withLock { tally in
            if !isBack { tally.wrong.append("a reader did not come back (seed \(Self.seed))") }
            return tally
        }
    }

    private func start(_ body: @escaping @Sendable () -> Void) {
        running.enter()
        let thread = Thread {
            body()
            self.running.leave()
        }
        thread.stackSize = 1 << 20
        thread.start()
    }

    /// As a person or a media server that looks around.
    private func look() {
        while !isOver.load(ordering: .relaxed) {
            let start = DispatchTime.now()
            let names = Self.names(mountpoint + "/library")
            var status = stat()
            let isThere = files.randomElement().map { stat($0.path, &status) == 0 } ?? true
            var space = statvfs()
            let hasSpace = statvfs(mountpoint, &space) == 0
            let seconds =
                Double(DispatchTime.now().uptimeNanoseconds - start.uptimeNanoseconds) / 1e9
            tally.withLock { tally in
                tally.looks += 1
                tally.slowestLook = max(tally.slowestLook, seconds)
                if names == 0 || !hasSpace || !isThere {
                    tally.wrong.append("the mount did not answer a look")
                }
            }
            usleep(20_000)
        }
    }

    private static func names(_ path: String) -> Int {
        guard let directory = opendir(path) else { return 0 }
        defer { closedir(directory) }
        var count = 0
        while readdir(directory) != nil { count += 1 }
        return count
    }

    // MARK: One reader

    private func read(_ random: SeededRandom) {
        var random = random
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
        defer { memory.deallocate() }
        while !isOver.load(ordering: .relaxed) {
            let file = files[Int(random.next() % UInt64(files.count))]
            let descriptor = open(file.path, O_RDONLY)
            guard descriptor >= 0 else {
                note(error: errno)
                usleep(5_000)
                continue
            }
            for _ in 0..<Int(random.next() % 40) where !isOver.load(ordering: .relaxed) {
                act(file, descriptor, memory, &random)
            }
            close(descriptor)
        }
    }

    private func act(
        _ file: File,
        _ descriptor: Int32,
        _ memory: UnsafeMutableRawBufferPointer,
        _ random: inout SeededRandom
    ) {
        let size = file.contents.count
        let offset = Int(random.next() % UInt64(size + 100))
        let length = Int(random.next() % (random.next() % 4 == 0 ? 1 << 20 : 70_000)) + 1
        switch random.next() % 20 {
        case 0: posix_fadvise(descriptor, off_t(offset), off_t(length), POSIX_FADV_DONTNEED)
        case 1: posix_fadvise(descriptor, off_t(offset), off_t(length), POSIX_FADV_WILLNEED)
        case 2:
            var status = stat()
            let isKnown = fstat(descriptor, &status) == 0
            if isKnown, status.st_size != size { wrong(file, 0, "its size") }
        case 3, 4: compareMapped(file, descriptor, offset, length, memory)
        case 5...8:
            lseek(descriptor, off_t(offset), SEEK_SET)
            for step in 0..<6 {
                let part = min(length, 131_072)
                let count = Glibc.read(descriptor, memory.baseAddress, part)
                guard compare(file, offset + step * part, part, count, memory) else { return }
            }
        default:
            let count = pread(descriptor, memory.baseAddress, length, off_t(offset))
            _ = compare(file, offset, length, count, memory)
        }
    }

    /// - Returns: Whether so many bytes came as were to be expected.
    private func compare(
        _ file: File,
        _ offset: Int,
        _ length: Int,
        _ count: Int,
        _ memory: UnsafeMutableRawBufferPointer
    ) -> Bool {
        guard count >= 0 else {
            note(error: errno)
            return false
        }
        let expected = max(0, min(length, file.contents.count - offset))
        let isRight = file.contents.withUnsafeBytes { contents in
            guard count > 0, let bytes = contents.baseAddress, let read = memory.baseAddress,
                offset + count <= contents.count
            else { return count == 0 }
            return memcmp(bytes.advanced(by: offset), read, count) == 0
        }
        if !isRight || (count == 0 && expected > 0) { wrong(file, offset, "\(count) bytes") }
        tally.withLock {
            $0.reads += 1
            $0.bytes += count
        }
        return count == expected && count > 0
    }

    /// A mapped file that cannot be read ends a program with SIGBUS; the kernel, which copies it
    /// for us, gets EFAULT instead.
    private func compareMapped(
        _ file: File,
        _ descriptor: Int32,
        _ offset: Int,
        _ length: Int,
        _ memory: UnsafeMutableRawBufferPointer
    ) {
        let size = file.contents.count
        guard offset < size, let map = mmap(nil, size, PROT_READ, MAP_SHARED, descriptor, 0),
            map != MAP_FAILED
        else { return }
        defer { munmap(map, size) }
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { return }
        defer { for end in ends { close(end) } }
        let part = min(length, size - offset, 60_000)
        let start = map.advanced(by: offset)
        guard Glibc.write(ends[1], start, part) == part else {
            return note(error: errno)
        }
        let count = Glibc.read(ends[0], memory.baseAddress, part)
        _ = compare(file, offset, part, count, memory)
    }

    private func note(error: Int32) { tally.withLock { $0.errors[error, default: 0] += 1 } }

    private func wrong(_ file: File, _ offset: Int, _ what: String) {
        let name = (file.path as NSString).lastPathComponent
        tally.withLock { $0.wrong.append("\(what) at \(offset) of \(name) (seed \(Self.seed))") }
    }
}
