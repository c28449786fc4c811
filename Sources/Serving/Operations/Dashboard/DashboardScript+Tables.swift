extension DashboardScript {
    /// Workers, requests, cache, links, HTTP.
    static let tables = #"""
        const row = (head, cells) => make('tr', {}, make('th', { scope: 'row' }, head), ...cells);
        const cell = (label, content, isNumber) => {
          const node = make('td', { 'data-label': label });
          if (isNumber) node.className = 'number';
          node.append(...(Array.isArray(content) ? content : content === '' ? [] : [content]));
          return node;
        };
        const state = (worker) => {
          const label = make('span', { class: `state ${worker.state}` }, worker.state);
          if (worker.state === 'loading' && worker.total_bytes > 0) {
            const part = Math.min(1, worker.loaded_bytes / worker.total_bytes);
            const bar = make('progress', { max: '1', value: String(part), 'aria-label': `${worker.name} has loaded` });
            return [label, ' ', bar, `${percent(part)} of ${bytes(worker.total_bytes)}`];
          }
          return worker.reason ? [label, ': ', worker.reason] : [label];
        };
        const showTables = (body) => {
          const engine = body.engine;
          $('workers').replaceChildren(...engine.workers.map((worker) => row(worker.name, [
            cell('State', state(worker)),
            cell('Layers', worker.units || '–'),
            cell('Device', worker.device ? `${worker.device}, ${worker.threads} thread${worker.threads === 1 ? '' : 's'}` : ''),
            cell('Takes', worker.needed_bytes === undefined ? '' : `${bytes(worker.needed_bytes)} of ${bytes(worker.limit_bytes)}`, true),
            cell('Free', worker.memory_available_bytes === undefined ? '' : `${bytes(worker.memory_available_bytes)} of ${bytes(worker.memory_total_bytes)}`, true),
            cell('Heard', worker.silent_seconds === undefined ? '' : `${time(worker.silent_seconds)} ago`, true),
            cell('Restarts', count(worker.restarts), true),
          ])));
          const requests = engine.requests;
          const rejected = Object.entries(requests.rejected).map(([reason, number]) => `${count(number)} ${reason.replaceAll('_', ' ')}`);
          const tokens = engine.tokens;
          const lines = [
            ['Ended', count(requests.stopped + requests.limited), `${count(requests.stopped)} at an end token, ${count(requests.limited)} at their limit`],
            ['Embedded', count(requests.embedded), ''],
            ['Given up', count(requests.cancelled), 'by the client, or at a stop string'],
            ['Failed', count(requests.failed), ''],
            ['Refused', count(sum(Object.values(requests.rejected))), rejected.join(', ')],
            ['Computed again', count(requests.replayed), ''],
            ['Prompt tokens', count(tokens.prompt), tokens.cached ? `${count(tokens.cached)} of them from the cache` : ''],
            ['Generated tokens', count(tokens.generated), ''],
            ['On the wire', bytes(engine.steps.wire_bytes), ''],
            ['Faults', count(engine.epochs.faults), engine.epochs.last_fault ? `${time(engine.uptime_seconds - engine.epochs.last_fault_seconds)} ago: ${engine.epochs.last_fault}` : ''],
          ];
          $('requests').replaceChildren(...lines.map(([head, value, more]) => make('tr', {}, make('th', { scope: 'row' }, head),
            make('td', { class: 'number' }, value), make('td', { class: 'quiet' }, more))));
          const cache = engine.cache;
          if (cache) {
            const used = Math.max(0, cache.blocks - cache.free_blocks - cache.retained_blocks);
            const [running, kept] = $('cache-meter').children;
            running.style.width = `${100 * used / Math.max(1, cache.blocks)}%`;
            kept.style.width = `${100 * cache.retained_blocks / Math.max(1, cache.blocks)}%`;
            put('cache', `${count(used)} of ${count(cache.blocks)} blocks in use, ${count(cache.retained_blocks)} kept for ${count(cache.retained_sequences)} ended requests; a block has ${cache.block_positions} positions`);
          }
          $('links-part').hidden = !engine.links.length;
          $('links').replaceChildren(...engine.links.map((link) => row(`${end(link.from)} › ${end(link.to)}`, [
            cell('', link.is_measured ? time(link.round_trip_seconds) : `${time(link.round_trip_seconds)}, assumed`, true),
            cell('', `${digits(link.bytes_per_second / 1e6)} MB/s`, true),
          ])));
        };
        const showHTTP = (http) => {
          put('connections', `${count(http.open_connections)} connection${http.open_connections === 1 ? '' : 's'} open`);
          $('http').replaceChildren(...http.requests.map((entry) => row(entry.route, [
            cell('', String(entry.status)), cell('', count(entry.count), true),
          ])));
        };

        """#
}
