import Catalogue
import CatalogueMilvus
import CataloguePostgres
import CatalogueSQLite
import Foundation
import MilvusClient
import Routing
import Similarity
import StandIns

// Prints one table for each size, medians of the rounds.
let sizes = CommandLine.arguments.dropFirst().compactMap { Int($0) }
for size in sizes.isEmpty ? [10_000, 100_000, 1_000_000] : Array(sizes) {
    try await Benchmark(episodes: size).run()
}
