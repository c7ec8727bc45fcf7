import Primitives
import Testing

@Suite struct ConcurrentMapTests {
    @Test(arguments: [0, 1, 2, 3, 7, 8, 9, 1000])
    func resultsAreInTheElementsOrder(count: Int) {
        let numbers = Array(0..<count)
        #expect(numbers.concurrentMap { -$0 } == numbers.map { -$0 })
    }
}
