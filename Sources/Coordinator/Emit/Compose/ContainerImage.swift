import Sharding

/// The image that containers run, and what is asked of them.
enum ContainerImage {
    /// Debian with libzmq, curl for the probes, and the programs of a tarball of `scripts/package`.
    static let dockerfile = EmittedFile(
        "Dockerfile",
        """
        # The programs of shard, from the tarball that scripts/package makes; made by shard-coordinator emit.
        #
        #   cp dist/shard-*-linux-*.tar.gz .    one tarball, of the machines' architecture, beside this file
        #   docker build -t shard:\(ShardVersion.current) .
        FROM debian:bookworm-slim
        RUN apt-get update \\
            && apt-get install -y --no-install-recommends curl libzmq5 \\
            && rm -rf /var/lib/apt/lists/*
        ADD shard-*-linux-*.tar.gz /opt/
        RUN mv /opt/shard-*-linux-* /opt/shard
        ENV PATH=/opt/shard:$PATH
        USER \(DeploymentPlaces.userID):\(DeploymentPlaces.userID)

        """)

    /// Asks for `/health` or `/ready` inside the container, whose loopback nobody else reaches.
    static func probe(_ path: String, port: Int) -> [String] {
        ["curl", "-fs", "-o", "/dev/null", "--max-time", "4", "http://127.0.0.1:\(port)/\(path)"]
    }
}
