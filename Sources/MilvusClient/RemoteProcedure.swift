/// Calls of MilvusService by their names on the wire.
enum RemoteProcedure: String {
    case connect = "Connect"
    case createCollection = "CreateCollection"
    case createIndex = "CreateIndex"
    case delete = "Delete"
    case describeIndex = "DescribeIndex"
    case dropCollection = "DropCollection"
    case flush = "Flush"
    case getLoadState = "GetLoadState"
    case getVersion = "GetVersion"
    case hasCollection = "HasCollection"
    case insert = "Insert"
    case loadCollection = "LoadCollection"
    case query = "Query"
    case search = "Search"
    case showCollections = "ShowCollections"
    case upsert = "Upsert"
}

/// Kinds of messages, by the numbers of Milvus's `MsgType`.
///
/// Milvus Lite does not look at them; a real server's proxy wants them.
enum MessageKind: Int32 {
    case createCollection = 100
    case dropCollection = 101
    case hasCollection = 102
    case showCollections = 104
    case loadCollection = 106
    case createIndex = 300
    case describeIndex = 301
    case insert = 400
    case delete = 401
    case flush = 402
    case upsert = 404
    case search = 500
    case retrieve = 506
    case connect = 1209
}

extension MVMsgBase {
    static func of(_ kind: MessageKind) -> MVMsgBase {
        var base = MVMsgBase()
        base.msgType = kind.rawValue
        return base
    }
}

extension MVKeyValuePair {
    init(_ key: String, _ value: String) {
        self.init()
        self.key = key
        self.value = value
    }
}
