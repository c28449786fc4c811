/// What the dashboard does. Text from the server is only ever set as text, never as markup.
enum DashboardScript {
    static let javaScript =
        "\n'use strict';\n(() => {\n" + [words, figures, pipeline, tables, chat, polling].joined() + "})();\n"

    /// Elements, and numbers in words.
    private static let words = #"""
        const $ = (id) => document.getElementById(id);
        const put = (id, text) => { const node = $(id); if (node.textContent !== text) node.textContent = text; };
        const make = (tag, attributes, ...children) => {
          const node = document.createElement(tag);
          for (const [name, value] of Object.entries(attributes || {})) node.setAttribute(name, value);
          node.append(...children.filter((child) => child !== null && child !== undefined));
          return node;
        };
        const count = (value) => Number(value || 0).toLocaleString('en-GB');
        const digits = (value) => value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
        const time = (seconds) => {
          if (seconds === null || seconds === undefined || !isFinite(seconds)) return '–';
          if (seconds < 1e-3) return `${digits(seconds * 1e6)} µs`;
          if (seconds < 1) return `${digits(seconds * 1e3)} ms`;
          if (seconds < 100) return `${digits(seconds)} s`;
          if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
          return seconds < 172800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86400)} days`;
        };
        const bytes = (value) => {
          if (value === undefined) return '';
          const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
          let unit = 0;
          while (value >= 1024 && unit < units.length - 1) { value /= 1024; unit += 1; }
          return `${unit ? digits(value) : value} ${units[unit]}`;
        };
        const percent = (part) => `${Math.round(100 * part)} %`;
        const sum = (values) => values.reduce((left, right) => left + right, 0);
        const end = (name) => name || 'coordinator';

        """#

    /// The row of numbers at the top: those of the last minute, from the difference to what was read then.
    private static let figures = #"""
        const history = [];
        const remember = (engine) => {
          if (history.length && (history[0].run !== engine.run || history[0].uptime_seconds > engine.uptime_seconds)) history.length = 0;
          history.push({ run: engine.run, uptime_seconds: engine.uptime_seconds, times: engine.times, steps: engine.steps });
          while (history.length > 2 && engine.uptime_seconds - history[0].uptime_seconds > 60) history.shift();
        };
        const quantile = (bounds, now, before, part) => {
          const counts = now.counts.map((value, index) => value - (before ? before.counts[index] : 0));
          const wanted = part * sum(counts);
          if (!(wanted > 0)) return null;
          let passed = 0;
          for (let index = 0; index < bounds.length; index += 1) {
            if (counts[index] > 0 && passed + counts[index] >= wanted) {
              const low = index ? bounds[index - 1] : 0;
              return low + (bounds[index] - low) * (wanted - passed) / counts[index];
            }
            passed += counts[index];
          }
          return bounds[bounds.length - 1];
        };
        const showFigures = (engine) => {
          const before = history[0];
          const isFirst = before.uptime_seconds === engine.uptime_seconds;
          const bounds = engine.times.bounds_seconds;
          const bins = engine.recent.tokens.slice(-51, -1);
          const rate = bins.length ? sum(bins) / (bins.length * engine.recent.bin_seconds) : 0;
          put('rate', rate >= 100 ? count(Math.round(rate)) : digits(rate));
          put('rate-more', `${count(engine.tokens.generated)} in all`);
          for (const [id, key] of [['first', 'first_token'], ['between', 'between_tokens']]) {
            const ago = isFirst ? null : before.times[key];
            const middle = quantile(bounds, engine.times[key], ago, 0.5);
            put(id, time(middle));
            put(`${id}-more`, middle === null ? 'none in the last minute' : `95 %: ${time(quantile(bounds, engine.times[key], ago, 0.95))}`);
          }
          const requests = engine.requests;
          put('running', count(requests.running));
          put('running-more', `at most ${count(requests.running_max)}`);
          put('queued', count(requests.queued));
          const queue = quantile(bounds, engine.times.queue, isFirst ? null : before.times.queue, 0.5);
          put('queued-more', queue === null ? `at most ${count(requests.queue_max)}` : `for ${time(queue)}, median`);
          const away = engine.steps.in_flight_seconds - (isFirst ? 0 : before.steps.in_flight_seconds);
          const computed = engine.steps.compute_seconds - (isFirst ? 0 : before.steps.compute_seconds);
          put('share', away > 0 ? percent(computed / away) : '–');
          put('share-more', away > 0 ? 'of a step’s way; the rest waits' : 'no steps in the last minute');
        };

        """#
}
