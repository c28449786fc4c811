/// Elements whose bits differ; as many as can be where the counts do.
func bitDifferences(_ left: some Collection<Float>, _ right: some Collection<Float>) -> Int {
    left.count == right.count ? zip(left, right).count { $0.bitPattern != $1.bitPattern } : Int.max
}
