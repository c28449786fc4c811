/// Certificates for localhost that nobody trusts, with their keys, which are no secret: they serve these tests only.
enum TestCertificates {
    /// From 2020 to 2120.
    static let first = """
        -----BEGIN CERTIFICATE-----
        MIIBQDCB6KADAgECAhQXRrpCycxxtPH6pa4Z0wMMzPzwgDAKBggqhkjOPQQDAjAQ
        MQ4wDAYDVQQDDAVmaXJzdDAgFw0yMDAxMDEwMDAwMDBaGA8yMTIwMDEwMTAwMDAw
        MFowEDEOMAwGA1UEAwwFZmlyc3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAARt
        nGI3/NFXOcUVsAdDullg+09zeTUoHNawLz+OiNVYRkdcvIGjnH+IPOAk5rO3VuG+
        G2GuEyO3Zzciy5NDTXpIox4wHDAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEw
        CgYIKoZIzj0EAwIDRwAwRAIgXI8QBVi7zH9FrYqYrH3sRaTR3StdaXvRGby9db6O
        AQ8CICbaUstQDByfUdcaqQv5c3QRRCqv913HSzFl/oxLss0q
        -----END CERTIFICATE-----

        """

    static let firstKey = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgN08jBIsy3tMOelf3
        pVh+7TGV9lRfpeG0Mjl2aI9VuZyhRANCAARtnGI3/NFXOcUVsAdDullg+09zeTUo
        HNawLz+OiNVYRkdcvIGjnH+IPOAk5rO3VuG+G2GuEyO3Zzciy5NDTXpI
        -----END PRIVATE KEY-----

        """

    /// From 2020 to 2120, with another key.
    static let second = """
        -----BEGIN CERTIFICATE-----
        MIIBQjCB6qADAgECAhQL2Ji4GBDMU4tC0kj89bFXLxk+xTAKBggqhkjOPQQDAjAR
        MQ8wDQYDVQQDDAZzZWNvbmQwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAw
        MDBaMBExDzANBgNVBAMMBnNlY29uZDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IA
        BLv5ag6/gPzKdgtU2Kog7BcBA33ECE3VgN/VlPHxcMtUE1TyJbDCrD5YYHPfNPQI
        j+U9E80ofqSsiY21zaU9kbKjHjAcMBoGA1UdEQQTMBGCCWxvY2FsaG9zdIcEfwAA
        ATAKBggqhkjOPQQDAgNHADBEAiAfp/SqpsRdwl1ARVtJxibcfO7m36ue2KxYHfuS
        tanf6gIgcwrwAgHseIiRfx8LFyNIarplyZ5buhsCVdjWQL6WdhI=
        -----END CERTIFICATE-----

        """

    static let secondKey = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgF8v9zA9ZM120P2iU
        T5b8cSbG3xlZge0PstPShsCA9JihRANCAAS7+WoOv4D8ynYLVNiqIOwXAQN9xAhN
        1YDf1ZTx8XDLVBNU8iWwwqw+WGBz3zT0CI/lPRPNKH6krImNtc2lPZGy
        -----END PRIVATE KEY-----

        """

    /// From 2020 to 2021, with the first one's key.
    static let ended = """
        -----BEGIN CERTIFICATE-----
        MIIBPzCB5qADAgECAhQbgxbCGrV4h4ttIn/SFV/V9gzBRzAKBggqhkjOPQQDAjAQ
        MQ4wDAYDVQQDDAVlbmRlZDAeFw0yMDAxMDEwMDAwMDBaFw0yMTAxMDEwMDAwMDBa
        MBAxDjAMBgNVBAMMBWVuZGVkMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEbZxi
        N/zRVznFFbAHQ7pZYPtPc3k1KBzWsC8/jojVWEZHXLyBo5x/iDzgJOazt1bhvhth
        rhMjt2c3IsuTQ016SKMeMBwwGgYDVR0RBBMwEYIJbG9jYWxob3N0hwR/AAABMAoG
        CCqGSM49BAMCA0gAMEUCIQCsPa74J1tmOC6n8/zWYnr4+K777s7nwTf5bYo3vy3z
        QAIgA4GS0Lv1J30zni95FgLY32MWz4zRqA041a/gUpnbTBA=
        -----END CERTIFICATE-----

        """

    /// From 2100 to 2120, with the first one's key.
    static let early = """
        -----BEGIN CERTIFICATE-----
        MIIBQzCB6qADAgECAhQnL3XEHgj8nd3boV9ho0xnRzoqMjAKBggqhkjOPQQDAjAQ
        MQ4wDAYDVQQDDAVlYXJseTAiGA8yMTAwMDEwMTAwMDAwMFoYDzIxMjAwMTAxMDAw
        MDAwWjAQMQ4wDAYDVQQDDAVlYXJseTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IA
        BG2cYjf80Vc5xRWwB0O6WWD7T3N5NSgc1rAvP46I1VhGR1y8gaOcf4g84CTms7dW
        4b4bYa4TI7dnNyLLk0NNekijHjAcMBoGA1UdEQQTMBGCCWxvY2FsaG9zdIcEfwAA
        ATAKBggqhkjOPQQDAgNIADBFAiBpKyuMblp8mo3Sut7brUmI8TgLZyjjj1tK7tus
        CBYKpQIhAKXKGJMyGHUKzjfg/632b/rK6CzxtibBNrTxCsUZlNnY
        -----END CERTIFICATE-----

        """

    /// The first one's key behind a passphrase.
    static let closedKey = """
        -----BEGIN ENCRYPTED PRIVATE KEY-----
        MIH0MF8GCSqGSIb3DQEFDTBSMDEGCSqGSIb3DQEFDDAkBBCf+YH8x32HKcwQEUc0
        YzXAAgIIADAMBggqhkiG9w0CCQUAMB0GCWCGSAFlAwQBKgQQrXWOWH1wDgdGvEmp
        xke1KgSBkJG7Q47nxktkYygqQM6ubEjci+F9Xw8a0RZgdqkAIpWN2E3Yq2Fclaej
        DDNacIEawZcczBH9Ur5m8b3pB+bElA+HVTeynlHZFssTOmMnm/fmYs66qApgT/WT
        MJb+rBXZGod2HBPE83MxoyyJYh1XSX/UYwOURMllKN7ZqQkKEY1RuS1lKwRPpVOm
        KFxhAOf4Uw==
        -----END ENCRYPTED PRIVATE KEY-----

        """
}
