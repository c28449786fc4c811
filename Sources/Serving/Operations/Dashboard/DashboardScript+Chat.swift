extension DashboardScript {
    /// A conversation over the same interface that other clients use.
    static let chat = #"""
        const conversation = [];
        let answering = null;
        const headers = () => {
          const key = sessionStorage.getItem('shard-key');
          return key ? { Authorization: `Bearer ${key}` } : {};
        };
        const say = (name, text, kind) => {
          const body = make('span', {}, text);
          const item = make('li', kind ? { class: kind } : {}, make('b', {}, name), body);
          $('talk').hidden = false;
          $('talk').append(item);
          item.scrollIntoView({ block: 'nearest' });
          return body;
        };
        const setAnswering = (controller) => {
          answering = controller;
          $('send').disabled = controller !== null;
          $('stop').disabled = controller === null;
          $('talk').setAttribute('aria-busy', String(controller !== null));
        };
        // Events of a stream, one JSON value each (HTML Living Standard, section 9.2, as far as this server writes it).
        const read = async (response, take) => {
          const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
          let rest = '';
          for (;;) {
            const { done, value } = await reader.read();
            if (done) return;
            const parts = (rest + value).split('\n\n');
            rest = parts.pop();
            for (const part of parts) {
              if (part.startsWith('data: ') && part !== 'data: [DONE]') take(JSON.parse(part.slice(6)));
            }
          }
        };
        const ask = async (text) => {
          conversation.push({ role: 'user', content: text });
          say('You', text);
          const target = say('Model', '');
          const controller = new AbortController();
          setAnswering(controller);
          put('chat-status', '');
          let answer = '';
          try {
            const response = await fetch('/v1/chat/completions', {
              method: 'POST', signal: controller.signal, headers: { 'Content-Type': 'application/json', ...headers() },
              body: JSON.stringify({ messages: conversation, stream: true }),
            });
            if (!response.ok) throw new Error((await response.json()).error.message);
            await read(response, (chunk) => {
              if (chunk.error) throw new Error(chunk.error.message);
              const choice = chunk.choices[0];
              answer += (choice && choice.delta.content) || '';
              target.textContent = answer;
              target.scrollIntoView({ block: 'nearest' });
              const timings = chunk.timings;
              if (timings) put('chat-status', `first token after ${time(timings.prompt_ms / 1000)}, ${timings.generated_tokens} tokens in ${time(timings.generation_ms / 1000)}`);
            });
            conversation.push({ role: 'assistant', content: answer });
          } catch (error) {
            if (controller.signal.aborted) {
              put('chat-status', 'stopped');
              conversation.push({ role: 'assistant', content: answer });
            } else {
              conversation.pop();
              target.textContent = answer;
              say('Error', error.message, 'error');
            }
          }
          setAnswering(null);
        };
        $('chat-form').addEventListener('submit', (event) => {
          event.preventDefault();
          const text = $('prompt').value.trim();
          if (!text || answering) return;
          $('prompt').value = '';
          ask(text);
        });
        $('prompt').addEventListener('keydown', (event) => {
          if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
          event.preventDefault();
          $('chat-form').requestSubmit();
        });
        $('stop').addEventListener('click', () => { if (answering) answering.abort(); $('prompt').focus(); });
        $('clear').addEventListener('click', () => {
          if (answering) answering.abort();
          conversation.length = 0;
          $('talk').replaceChildren();
          $('talk').hidden = true;
          put('chat-status', '');
          $('prompt').focus();
        });

        """#

    /// Asks the server about once a second, more rarely while it does not answer.
    static let polling = #"""
        let failures = 0;
        let lastAnswer = null;
        let newest = null;
        let timer = null;
        const setStatus = (text, kind) => {
          put('status', text);
          $('status').className = kind;
        };
        const show = (body) => {
          newest = body;
          put('model', body.model.id);
          document.title = `${body.model.id} – shard`;
          showHTTP(body.http);
          const engine = body.engine;
          if (!engine) { setStatus('serving', 'good'); put('facts', `version ${body.version}`); return; }
          setStatus(engine.is_ready ? 'ready' : engine.reason || 'not ready', engine.is_ready ? 'good' : 'warn');
          const epoch = engine.epochs.current === undefined ? 'no plan' : `plan ${engine.epochs.current}`;
          put('facts', `up ${time(engine.uptime_seconds)}, ${epoch}, version ${body.version}`);
          remember(engine);
          showFigures(engine);
          showPipeline(engine);
          showTables(body);
        };
        const askForKey = (text) => {
          const isNew = $('keys').hidden;
          $('keys').hidden = false;
          put('key-error', text);
          setStatus('a key is needed', 'warn');
          if (isNew) $('key').focus();
        };
        const poll = async () => {
          clearTimeout(timer);
          let wait = document.hidden ? 10000 : 1000;
          try {
            const response = await fetch('/v1/cluster', { headers: headers(), cache: 'no-store', signal: AbortSignal.timeout(5000) });
            if (response.status === 401 || response.status === 403) {
              askForKey(sessionStorage.getItem('shard-key') ? (await response.json()).error.message : '');
              wait = 15000;
            } else {
              if (!response.ok) throw new Error(`status ${response.status}`);
              const body = await response.json();
              $('keys').hidden = true;
              show(body);
              lastAnswer = new Date();
            }
            failures = 0;
            $('main').classList.remove('stale');
          } catch (error) {
            failures += 1;
            wait = Math.min(15000, 1000 * 2 ** Math.min(failures - 1, 4));
            const since = lastAnswer ? `; what is shown is of ${lastAnswer.toLocaleTimeString()}` : '';
            setStatus(`the server does not answer${since}`, 'bad');
            $('main').classList.add('stale');
          }
          timer = setTimeout(poll, wait);
        };
        $('key-form').addEventListener('submit', (event) => {
          event.preventDefault();
          sessionStorage.setItem('shard-key', $('key').value.trim());
          $('key').value = '';
          poll();
        });
        const redraw = () => { if (newest && newest.engine) showPipeline(newest.engine); };
        window.addEventListener('resize', redraw);
        matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);
        document.addEventListener('visibilitychange', () => { if (!document.hidden) poll(); });
        poll();

        """#
}
