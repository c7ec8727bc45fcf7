// swift-tools-version: 6.2
import PackageDescription

/// Every Swift target is built with these; a warning is an error everywhere.
let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

func library(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func shim(_ name: String, links library: String? = nil) -> Target {
    .target(name: name, linkerSettings: library.map { [.linkedLibrary($0)] } ?? [])
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, swiftSettings: strict)
}

let log = Target.Dependency.product(name: "Logging", package: "swift-log")

let package = Package(
    name: "sync2nas",
    products: [
        .executable(name: "sync2nas", targets: ["sync2nas"]),
        // For the tests: stands before the C library of a program.
        .library(name: "FalseClock", type: .dynamic, targets: ["FalseClock"]),
        .library(name: "OwnReader", type: .dynamic, targets: ["OwnReader"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    ],
    targets: [
        shim("CFuse3", links: "fuse3"),
        shim("CSSH2", links: "ssh2"),
        shim("CCurl", links: "curl"),
        shim("CPQ", links: "pq"),
        shim("CNGHTTP2", links: "nghttp2"),
        .target(
            name: "CTLS",
            linkerSettings: [.linkedLibrary("ssl"), .linkedLibrary("crypto")]
        ),
        shim("CChecksum"),
        shim("CSystem"),
        library("Primitives"),
        library("Naming"),
        library("HTTPFetch", ["CCurl"]),
        library("Catalogue", ["Primitives"]),
        library(
            "CatalogueSQLite",
            [
                "Catalogue", "Primitives", .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "GRDBSQLite", package: "GRDB.swift"),
            ]
        ),
        .target(
            name: "MilvusClient",
            dependencies: [
                "CNGHTTP2", "CSystem", "CTLS",
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            exclude: ["Generated/milvus_min.proto", "Generated/generate"],
            swiftSettings: strict
        ),
        library("CatalogueMilvus", ["Catalogue", "MilvusClient", "Primitives"]),
        library("CataloguePostgres", ["CPQ", "Catalogue", "Primitives"]),
        library("Cache", ["CChecksum", "Primitives", log]),
        library("Transfer", ["CSSH2", "CSystem", "Primitives", log]),
        library("Metadata", ["HTTPFetch", "Primitives"]),
        .target(
            name: "LanguageModels",
            dependencies: ["HTTPFetch", "Primitives"],
            resources: ["names", "choice", "short"].map { .embedInCode("Prompts/\($0).txt") },
            swiftSettings: strict
        ),
        .target(
            name: "Embedding",
            dependencies: ["HTTPFetch", "Primitives"],
            // A text takes a thousand times as long without, and tests would take hours.
            swiftSettings: strict + [.unsafeFlags(["-O"], .when(configuration: .debug))]
        ),
        library("Similarity", ["Embedding", "Primitives"]),
        library("Routing", ["Catalogue", "Naming", "Primitives"]),
        library("VirtualTree", ["Catalogue", "Primitives"]),
        library("Ingest", ["Catalogue", "Metadata", "Naming", "Primitives", "Routing", log]),
        library(
            "Operations",
            [
                "Catalogue", "Embedding", "Ingest", "LanguageModels", "Metadata", "Naming",
                "Primitives", "Similarity", log,
            ]
        ),
        library("ControlDirectory", ["Operations", "VirtualTree"]),
        library("FuseBridge", ["CFuse3", "CSystem", "Primitives", "VirtualTree", log]),
        library(
            "Daemon",
            [
                "CSystem", "Cache", "Catalogue", "CatalogueMilvus", "CataloguePostgres",
                "CatalogueSQLite",
                "ControlDirectory", "Embedding",
                "FuseBridge", "HTTPFetch", "Ingest", "LanguageModels", "Metadata", "Operations",
                "MilvusClient",
                "Primitives", "Transfer", "VirtualTree", log,
            ]
        ),
        .target(
            name: "StandIns",
            dependencies: ["CSystem", "MilvusClient"],
            path: "Tests/StandIns",
            swiftSettings: strict
        ),
        .target(name: "FalseClock", path: "Tests/FalseClock"),
        .target(name: "OwnReader", path: "Tests/OwnReader"),
        .executableTarget(
            name: "tmdb-stand-in",
            dependencies: ["StandIns"],
            path: "Tests/TMDBStandIn",
            swiftSettings: strict
        ),
        .target(
            name: "CatalogueConformance",
            dependencies: ["Catalogue", "Primitives"],
            path: "Tests/CatalogueConformance",
            swiftSettings: strict
        ),
        tests("PrimitivesTests", ["Primitives", "StandIns"]),
        tests("NamingTests", ["Naming", "StandIns"]),
        tests("CatalogueTests", ["Catalogue"]),
        tests("RoutingTests", ["Catalogue", "Naming", "Routing"]),
        tests("VirtualTreeTests", ["Catalogue", "Primitives", "VirtualTree"]),
        tests("CacheTests", ["CChecksum", "Cache", "Primitives", "StandIns", log]),
        tests("TransferTests", ["Primitives", "StandIns", "Transfer", log]),
        tests(
            "CatalogueSQLiteTests",
            ["Catalogue", "CatalogueConformance", "CatalogueSQLite", "Primitives", "StandIns"]
        ),
        tests(
            "CataloguePostgresTests",
            ["Catalogue", "CatalogueConformance", "CataloguePostgres", "Primitives", "StandIns"]
        ),
        .testTarget(
            name: "EmbeddingTests",
            dependencies: ["Embedding", "HTTPFetch", "StandIns"],
            resources: [.copy("Resources")],
            swiftSettings: strict
        ),
        .testTarget(
            name: "SimilarityTests",
            dependencies: ["Embedding", "Similarity", "StandIns"],
            resources: [.copy("Resources")],
            swiftSettings: strict
        ),
        .executableTarget(
            name: "catalogue-writer",
            dependencies: [
                "Catalogue", "CatalogueConformance", "CatalogueMilvus", "CataloguePostgres",
                "CatalogueSQLite", "MilvusClient",
            ],
            path: "Tests/CatalogueWriter",
            swiftSettings: strict
        ),
        .executableTarget(
            name: "catalogue-benchmark",
            dependencies: [
                "Catalogue", "CatalogueMilvus", "CataloguePostgres", "CatalogueSQLite",
                "MilvusClient", "Naming", "Primitives", "Routing", "Similarity", "StandIns",
            ],
            path: "Benchmarks/Catalogue/Program",
            swiftSettings: strict
        ),
        .testTarget(
            name: "CatalogueFaultTests",
            dependencies: [
                "Catalogue", "CatalogueConformance", "CatalogueMilvus", "CataloguePostgres",
                "CatalogueSQLite", "MilvusClient", "StandIns", "catalogue-writer",
            ],
            swiftSettings: strict
        ),
        tests("MilvusClientTests", ["MilvusClient", "StandIns"]),
        tests(
            "CatalogueMilvusTests",
            [
                "Catalogue", "CatalogueConformance", "CatalogueMilvus", "MilvusClient",
                "Primitives",
                "StandIns",
            ]
        ),
        tests("MetadataTests", ["HTTPFetch", "Metadata", "Primitives", "StandIns"]),
        tests(
            "IngestTests",
            ["Catalogue", "CatalogueSQLite", "Ingest", "Primitives", "StandIns", log]
        ),
        tests("LanguageModelsTests", ["HTTPFetch", "LanguageModels", "Primitives", "StandIns"]),
        tests(
            "OperationsTests",
            [
                "Catalogue", "CatalogueSQLite", "HTTPFetch", "Ingest", "LanguageModels", "Metadata",
                "Operations", "Primitives", "StandIns", log,
            ]
        ),
        tests("FuseBridgeTests", ["FuseBridge", "VirtualTree"]),
        tests(
            "DaemonTests",
            ["Daemon", "LanguageModels", "Primitives", "StandIns", "Transfer", "VirtualTree"]
        ),
        tests("MountTests", ["FalseClock", "OwnReader", "StandIns"]),
        .executableTarget(
            name: "sync2nas",
            dependencies: [
                "Catalogue", "Daemon", "Naming", "Operations", "Transfer", log,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict
        ),
    ]
)
