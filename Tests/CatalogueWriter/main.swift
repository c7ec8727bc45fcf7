import Catalogue
import CatalogueConformance
import CatalogueMilvus
import CataloguePostgres
import CatalogueSQLite
import Foundation
import MilvusClient

// Makes one scripted change after the other until it is killed. Its arguments say where:
// "sqlite FILE", "postgres PORT DATABASE" or "milvus PORT PREFIX"; with "politely" behind that it
// pauses after each. Every line that it prints is
// the number of a change that was committed.
func open(_ words: [String]) async throws -> any CatalogueStore {
    switch words[0] {
    case "sqlite": return try SQLiteStore(path: words[1])
    case "postgres":
        return try await PostgresStore(
            PostgresSettings(
                host: "127.0.0.1",
                port: Int(words[1]),
                database: words[2],
                user: "postgres"
            )
        )
    default:
        let server = MilvusServer(host: "127.0.0.1", port: UInt16(words[1]) ?? 0)
        return try await MilvusStore(server, prefix: words[2])
    }
}

let words = Array(CommandLine.arguments.dropFirst())
let store = try await open(words)
let pause = words.count > 3 || words[0] == "sqlite" && words.count > 2 ? 10 : 0
var contents = try await store.contents()
while true {
    let number = contents.revision + 1
    (_, contents) = try await store.change(
        contents,
        ScriptedChanges.origin(number),
        seconds: number
    ) { draft throws(CatalogueError) in
        // Another writer may have been faster: what is made follows from what is there.
        try ScriptedChanges.make(draft.contents.revision + 1, in: &draft)
    }
    // Who never pauses lets nobody else have a turn.
    try await Task.sleep(for: .milliseconds(Int.random(in: 0...pause)))
    FileHandle.standardOutput.write(Data("\(contents.revision)\n".utf8))
}
