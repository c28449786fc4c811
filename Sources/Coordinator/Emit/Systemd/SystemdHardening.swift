/// What a service may not do, and when it is started again.
enum SystemdHardening {
    /// - Parameters:
    ///   - homes: folders below people's homes that it reads; all else there is hidden.
    ///   - usesGPU: whether it needs device files.
    ///   - makesCode: whether it compiles patterns to machine code.
    static func settings(homes: [String], usesGPU: Bool, makesCode: Bool) -> String {
        let mounts = homes.map { "BindReadOnlyPaths=-\(UnitText.path($0))\n" }.joined()
        let code =
            makesCode
            ? "# The tokenizer's patterns are compiled to machine code.\nMemoryDenyWriteExecute=no"
            : "MemoryDenyWriteExecute=yes"
        return """
            Restart=on-failure
            RestartSec=5
            RestartPreventExitStatus=64

            DynamicUser=yes
            UMask=0077
            NoNewPrivileges=yes
            CapabilityBoundingSet=
            AmbientCapabilities=
            ProtectSystem=strict
            ProtectHome=\(homes.isEmpty ? "yes" : "tmpfs")
            \(mounts)PrivateTmp=yes
            PrivateDevices=\(usesGPU ? "no" : "yes")
            PrivateUsers=yes
            ProtectClock=yes
            ProtectHostname=yes
            ProtectKernelLogs=yes
            ProtectKernelModules=yes
            ProtectKernelTunables=yes
            ProtectControlGroups=yes
            ProtectProc=invisible
            # Netlink lists the machine's addresses, and a Unix socket may resolve names.
            RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
            RestrictNamespaces=yes
            RestrictRealtime=yes
            RestrictSUIDSGID=yes
            LockPersonality=yes
            \(code)
            SystemCallArchitectures=native
            SystemCallFilter=@system-service
            SystemCallFilter=~@privileged
            SystemCallErrorNumber=EPERM
            # A dump of memory would hold keys and prompts.
            LimitCORE=0

            """
    }
}
