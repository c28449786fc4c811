import Foundation
import Testing

@testable import Serving

@Suite("Dashboard")
struct DashboardTests {
    @Test("the page comes with a policy that runs its own script and style alone")
    func policy() async throws {
        let server = try TestServer(ScriptedEngine { _ in [] })
        let reply = try await server.get("/")
        #expect(reply.status == 200 && reply.contentType == "text/html; charset=utf-8")
        let policy = try #require(reply.policy)
        #expect(policy.hasPrefix("default-src 'none'; ") && !policy.contains("unsafe") && !policy.contains("http"))
        let nonce = try #require(policy.firstMatch(of: /script-src 'nonce-([0-9a-f]+)'/)?.1)
        #expect(reply.text.contains("<script nonce=\"\(nonce)\">") && reply.text.contains("<style nonce=\"\(nonce)\">"))
        let other = try await server.get("/")
        #expect(other.policy != policy, "a nonce is used once")
    }

    @Test("nothing comes from elsewhere, and no text becomes markup")
    func inside() {
        let page = DashboardPage.html(nonce: "0")
        for word in [
            "http://", "https://", "src=", "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(",
        ] {
            #expect(!page.contains(word), "\(word)")
        }
        #expect(page.matches(of: /\sstyle="/).isEmpty, "the policy forbids styles in attributes")
        #expect(page.matches(of: /\son[a-z]+="/).isEmpty, "the policy forbids handlers in attributes")
    }

    @Test("every element that the script names is there once")
    func elements() {
        let markup = DashboardMarkup.body
        let ids = markup.matches(of: /\sid="([a-z-]+)"/).map { String($0.1) }
        #expect(Set(ids).count == ids.count)
        let named = Set(DashboardScript.javaScript.matches(of: /(?:\$|put)\('([a-z-]+)'/).map { String($0.1) })
        #expect(named.isSubset(of: ids), "\(named.subtracting(ids))")
        for label in markup.matches(of: /for="([a-z-]+)"|aria-labelledby="([a-z-]+)"/) {
            #expect(ids.contains(String(label.1 ?? label.2 ?? "")))
        }
    }
}
