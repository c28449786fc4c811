import Coordinator

extension OpenedModel {
    /// The same model as a coordinator sees it. Not on the cooperative pool.
    package func forCluster() throws(CoordinatorError) -> ClusterModel {
        try ClusterModel(path: path, file: file, spec: spec, manifest: manifest)
    }
}
