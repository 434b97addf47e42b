#if Milvus
    extension MilvusStatus {
        /// Whether the server did what it was asked for.
        package var isSuccess: Bool { errorCode == 0 && code == 0 }

        /// Whether the same request may succeed later: the server is starting, is too busy, or
        /// limits the rate.
        package var isTemporary: Bool {
            retriable || Self.temporary.contains(code) || Self.temporaryBefore23.contains(errorCode)
        }

        /// Service not ready or unavailable, too many requests, limited rate, writing denied for
        /// now; collection not fully loaded; no replica, channel or node available.
        private static let temporary: Set<Int32> = [1, 2, 4, 8, 9, 103, 401, 503, 901, 902]
        /// The codes of the field that servers before 2.3 set alone: no shard leader, no replica,
        /// force deny, rate limit, time tick delay, not ready.
        private static let temporaryBefore23: Set<Int32> = [45, 46, 48, 49, 55, 56, 57]

        /// Whether the server says that a collection does not exist.
        package var isMissingCollection: Bool { code == 100 || errorCode == 4 || errorCode == 28 }
    }
#endif
