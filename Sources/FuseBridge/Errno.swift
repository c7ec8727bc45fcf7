import CFuse3
import Glibc
import Primitives
import VirtualTree

/// The only place where our errors become the kernel's error numbers.
extension SourceError {
    var errno: Int32 {
        switch code {
        case .notFound: ENOENT
        case .changed: ESTALE
        case .denied: EACCES
        case .unavailable: EIO
        case .cancelled: EINTR
        }
    }
}

extension ControlError {
    var errno: Int32 {
        switch code {
        case .invalid: EINVAL
        case .notFound: ENOENT
        case .alreadyExists: EEXIST
        case .busy: EBUSY
        case .notPermitted: EPERM
        case .failed: EIO
        case .interrupted: EINTR
        }
    }
}
