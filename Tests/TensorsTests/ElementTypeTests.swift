import Testing

@testable import Tensors

@Suite("Element types")
struct ElementTypeTests {
    @Test("bytes of whole blocks", arguments: ElementType.allCases)
    func wholeBlocks(type: ElementType) {
        #expect(type.byteCount(elementCount: 0) == 0)
        #expect(type.byteCount(elementCount: type.blockElementCount) == type.blockBytes)
        #expect(type.byteCount(elementCount: 7 * type.blockElementCount) == 7 * type.blockBytes)
    }

    @Test("a part of a block has no size", arguments: ElementType.allCases.filter(\.isQuantized))
    func partialBlocks(type: ElementType) {
        #expect(type.byteCount(elementCount: type.blockElementCount - 1) == nil)
        #expect(type.byteCount(elementCount: type.blockElementCount + 1) == nil)
    }

    @Test("sizes that overflow or are negative are none", arguments: [ElementType.f32, .f64, .i64])
    func absurdSizes(type: ElementType) {
        #expect(type.byteCount(elementCount: .max) == nil)
        #expect(type.byteCount(elementCount: -1) == nil)
    }

    @Test(
        "names are those in common use",
        arguments: [(ElementType.f16, "f16"), (.q4_K, "q4_k"), (.q8_0, "q8_0"), (.iq2_xxs, "iq2_xxs")])
    func names(type: ElementType, name: String) { #expect(type.name == name) }

    @Test("a view gives the bytes of its rows")
    func rows() {
        let bytes = (0..<68).map { UInt8($0) }
        bytes.withUnsafeBytes { bytes in
            let view = TensorView(type: .q8_0, rowCount: 2, columnCount: 32, bytes: bytes)
            #expect(view.rowBytes == 34)
            #expect(view.row(1).first == 34)
            #expect(view.row(1).count == 34)
        }
    }
}
