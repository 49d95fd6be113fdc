import CZlib

/// Compression and decompression in zlib's formats, with a bound on the decompressed size.
package enum Zlib {
  /// The wrapping of the deflated bytes (RFC 1951).
  package enum Format: Sendable {
    /// A zlib stream (RFC 1950).
    case zlib
    /// Members of gzip, one after another (RFC 1952, section 2.2).
    case gzip
    /// No wrapping.
    case raw

    /// The argument of `inflateInit2`: the largest window, and the wrapping.
    fileprivate var windowBits: Int32 {
      switch self {
      case .zlib: MAX_WBITS
      case .gzip: MAX_WBITS + 16
      case .raw: -MAX_WBITS
      }
    }
  }

  static func compress(_ bytes: [UInt8]) -> [UInt8] {
    let capacity = compressBound(uLong(bytes.count))
    return [UInt8](unsafeUninitializedCapacity: Int(capacity)) { buffer, count in
      var length = capacity
      let status = CZlib.compress(buffer.baseAddress, &length, bytes, uLong(bytes.count))
      // The output has room for any input, so only a lack of memory can fail, which ends Swift's own allocations too.
      precondition(status == Z_OK, "zlib cannot allocate memory")
      count = Int(length)
    }
  }

  /// The decompressed bytes, and whether they and the input ended together.
  package struct Output {
    package var bytes: [UInt8]
    package var isComplete: Bool
  }

  /// Decompresses at most `limit` bytes and leaves the rest; nil if the stream is corrupt.
  package static func decompress(_ input: ArraySlice<UInt8>, as format: Format = .zlib, limit: Int) -> Output? {
    guard let inputCount = uInt(exactly: input.count), let outputCount = uInt(exactly: limit) else { return nil }
    var stream = z_stream()
    // zlib keeps the stream's address, so all calls use one pointer.
    return withUnsafeMutablePointer(to: &stream) { stream in
      guard
        inflateInit2_(stream, format.windowBits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
      else { return nil }
      defer { inflateEnd(stream) }
      var status = Z_OK
      let bytes = [UInt8](unsafeUninitializedCapacity: limit) { output, count in
        input.withUnsafeBufferPointer { input in
          // zlib only reads its input; its declaration lacks the `const`.
          stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
          stream.pointee.avail_in = inputCount
          stream.pointee.next_out = output.baseAddress
          stream.pointee.avail_out = outputCount
          status = inflate(stream, Z_SYNC_FLUSH)
          while format == .gzip, status == Z_STREAM_END, stream.pointee.avail_in > 0, inflateReset(stream) == Z_OK {
            status = inflate(stream, Z_SYNC_FLUSH)
          }
        }
        count = limit - Int(stream.pointee.avail_out)
      }
      switch status {
      case Z_STREAM_END: return Output(bytes: bytes, isComplete: stream.pointee.avail_in == 0)
      // The room or the input is used up.
      case Z_OK, Z_BUF_ERROR: return Output(bytes: bytes, isComplete: false)
      default: return nil
      }
    }
  }
}
