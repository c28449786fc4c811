/// What stands on the dashboard before its script has asked for anything.
enum DashboardMarkup {
    static let body = #"""
        <a class="skip" href="#prompt">Skip to the chat</a>
        <header>
          <h1>shard <span id="model"></span></h1>
          <span id="status" role="status" aria-live="polite">asking the server</span>
          <span id="facts"></span>
        </header>
        <main id="main">
          <noscript><section>This page needs JavaScript. The same is at <a href="/v1/cluster">/v1/cluster</a> and <a href="/metrics">/metrics</a>.</section></noscript>
          <section id="keys" hidden aria-labelledby="keys-title">
            <h2 id="keys-title">This server asks for a key</h2>
            <form id="key-form">
              <label for="key">API key; kept until this tab is closed</label>
              <input id="key" type="password" autocomplete="off" spellcheck="false" required>
              <div class="buttons"><button class="main">Use it</button><p id="key-error" role="alert"></p></div>
            </form>
          </section>
          <section class="figures" aria-label="Figures">
            <div><dl><dt>Tokens a second</dt><dd id="rate">–</dd></dl><p id="rate-more"></p></div>
            <div><dl><dt>First token, median</dt><dd id="first">–</dd></dl><p id="first-more"></p></div>
            <div><dl><dt>Between tokens, median</dt><dd id="between">–</dd></dl><p id="between-more"></p></div>
            <div><dl><dt>Running</dt><dd id="running">–</dd></dl><p id="running-more"></p></div>
            <div><dl><dt>Waiting</dt><dd id="queued">–</dd></dl><p id="queued-more"></p></div>
            <div><dl><dt>Time in the stages</dt><dd id="share">–</dd></dl><p id="share-more"></p></div>
          </section>
          <section aria-labelledby="pipeline-title">
            <h2 id="pipeline-title">Pipeline</h2>
            <p id="bottleneck"></p>
            <div id="lanes"></div>
            <div class="axis"><div><span>10 s ago</span><span>now</span></div></div>
            <div id="zoom-part">
              <h3 id="zoom-title">The last steps</h3>
              <div id="zoom"></div>
              <div class="axis"><div><span id="zoom-from"></span><span id="zoom-to"></span></div></div>
            </div>
            <p class="legend"><span><i class="token"></i>computes tokens</span> <span><i class="prompt"></i>computes prompts</span> <span><i class="idle"></i>waits</span></p>
          </section>
          <section aria-labelledby="workers-title">
            <h2 id="workers-title">Workers</h2>
            <table class="cards">
              <thead><tr><th scope="col">Name</th><th scope="col">State</th><th scope="col">Layers</th><th scope="col">Device</th><th scope="col" class="number">Part of the plan</th><th scope="col" class="number">Free memory</th><th scope="col" class="number">Heard</th><th scope="col" class="number">Restarts</th></tr></thead>
              <tbody id="workers"></tbody>
            </table>
          </section>
          <div class="columns">
            <div>
              <section aria-labelledby="requests-title">
                <h2 id="requests-title">Requests <small>since the start</small></h2>
                <table><tbody id="requests"></tbody></table>
              </section>
              <section aria-labelledby="cache-title">
                <h2 id="cache-title">Cache of keys and values</h2>
                <div class="meter" id="cache-meter" aria-hidden="true"><span></span><span></span></div>
                <p class="empty" id="cache">–</p>
              </section>
            </div>
            <div>
              <section id="chat" aria-labelledby="chat-title">
                <h2 id="chat-title">Try it</h2>
                <ol id="talk" aria-label="Conversation" aria-live="polite" tabindex="0" hidden></ol>
                <form id="chat-form">
                  <label for="prompt">Message; Enter sends it, Shift and Enter begin a new line</label>
                  <textarea id="prompt" rows="3" required></textarea>
                  <div class="buttons">
                    <button class="main" id="send">Send</button>
                    <button type="button" id="stop" disabled>Stop</button>
                    <button type="button" id="clear">New conversation</button>
                    <p id="chat-status" role="status"></p>
                  </div>
                </form>
              </section>
              <section id="links-part" aria-labelledby="links-title">
                <h2 id="links-title">Links</h2>
                <table>
                  <thead><tr><th scope="col">Way</th><th scope="col" class="number">Round trip</th><th scope="col" class="number">Rate</th></tr></thead>
                  <tbody id="links"></tbody>
                </table>
              </section>
              <section aria-labelledby="http-title">
                <h2 id="http-title">HTTP <small id="connections"></small></h2>
                <table>
                  <thead><tr><th scope="col">Route</th><th scope="col">Status</th><th scope="col" class="number">Requests</th></tr></thead>
                  <tbody id="http"></tbody>
                </table>
              </section>
            </div>
          </div>
        </main>
        """#
}
