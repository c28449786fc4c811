import Hummingbird
import NIOCore

/// The dashboard: one page that fetches nothing but `/v1/cluster` and, for its chat, `/v1/chat/completions`.
///
/// It is text in the program, so that a program alone is enough to serve it. The page itself says nothing of the cluster
/// and needs no key; its script asks for one where the API does.
enum DashboardPage {
    /// - Parameter nonce: marks the page's own script and style, so that a browser runs no other.
    static func html(nonce: String) -> String {
        """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="referrer" content="no-referrer">
        <meta name="color-scheme" content="light dark">
        <title>shard</title>
        <link rel="icon" href="data:,">
        <style nonce="\(nonce)">\(DashboardStyle.css)</style>
        </head>
        <body>
        \(DashboardMarkup.body)
        <script nonce="\(nonce)">\(DashboardScript.javaScript)</script>
        </body>
        </html>

        """
    }

    static func policy(nonce: String) -> String {
        "default-src 'none'; script-src 'nonce-\(nonce)'; style-src 'nonce-\(nonce)'; connect-src 'self'; "
            + "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    }

    static func response() -> Response {
        let nonce =
            String(UInt64.random(in: 0...UInt64.max), radix: 16) + String(UInt64.random(in: 0...UInt64.max), radix: 16)
        var headers: HTTPFields = [.contentType: "text/html; charset=utf-8", .cacheControl: "no-store"]
        headers[.contentSecurityPolicy] = policy(nonce: nonce)
        headers[.xContentTypeOptions] = "nosniff"
        return Response(
            status: .ok, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(string: html(nonce: nonce))))
    }
}
