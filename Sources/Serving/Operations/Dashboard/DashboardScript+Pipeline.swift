extension DashboardScript {
    /// The lanes of the stages: how busy each was in the last seconds, and the last steps one by one.
    static let pipeline = #"""
        const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
        const surface = (canvas, height) => {
          const scale = window.devicePixelRatio || 1;
          const width = canvas.clientWidth;
          if (canvas.width !== Math.round(width * scale)) canvas.width = Math.round(width * scale);
          if (canvas.height !== Math.round(height * scale)) canvas.height = Math.round(height * scale);
          canvas.style.height = `${height}px`;
          const context = canvas.getContext('2d');
          context.setTransform(scale, 0, 0, scale, 0, 0);
          context.fillStyle = color('--track');
          context.fillRect(0, 0, width, height);
          return [context, width];
        };
        const lanes = (id, engine) => {
          const root = $(id);
          const wanted = engine.stages.map((stage) => `${stage.index}/${stage.worker}/${stage.units}`).join();
          if (root.dataset.stages !== wanted) {
            root.dataset.stages = wanted;
            root.replaceChildren(...engine.stages.map((stage) => make('div', { class: 'lane' },
              make('div', { class: 'name' }, `${stage.worker} `, make('span', {}, stage.units === 'head' ? 'head' : `layers ${stage.units}`)),
              make('canvas', { role: 'img' }), make('div', { class: 'share' }))));
          }
          return [...root.children];
        };
        const meanBusy = (engine, stage) => {
          const bins = (engine.recent.busy[stage] || []).slice(-51, -1);
          return bins.length ? sum(bins) / bins.length : 0;
        };
        const bottleneck = (engine) => {
          if (!engine.is_ready || !engine.stages.length) return `Nothing runs: ${engine.reason || 'no plan yet'}.`;
          const shares = engine.stages.map((stage, index) => meanBusy(engine, index));
          const most = shares.indexOf(Math.max(...shares));
          if (shares[most] < 0.01) return 'Nothing to compute at the moment.';
          const name = (index) => engine.stages[index].worker;
          const said = `Stage ${most} on ${name(most)} computes ${percent(shares[most])} of the time`;
          const idle = shares.map((share, index) => [share, index]).filter(([share, index]) => index !== most && share < 0.9 * shares[most]);
          if (shares[most] < 0.6) return `${said}, the busiest: the stages wait for requests, or steps for the wire.`;
          if (!idle.length) return shares.length > 1 ? `${said}, the others about as much: the pipeline is full.` : `${said}.`;
          const names = [...new Set(idle.map(([, index]) => name(index)))].filter((other) => other !== name(most));
          return names.length ? `${said}; ${names.join(', ')} ${names.length > 1 ? 'wait' : 'waits'} for it.` : `${said}.`;
        };
        const showPipeline = (engine) => {
          put('bottleneck', bottleneck(engine));
          lanes('lanes', engine).forEach((lane, stage) => {
            const bins = engine.recent.busy[stage] || [];
            const [, canvas, share] = lane.children;
            const [context, width] = surface(canvas, 26);
            context.fillStyle = color('--compute');
            bins.forEach((busy, index) => {
              const height = Math.round(26 * busy * 10) / 10;
              context.fillRect(index * width / bins.length, 26 - height, width / bins.length + 0.4, height);
            });
            const mean = percent(meanBusy(engine, stage));
            share.textContent = mean;
            canvas.setAttribute('aria-label', `${engine.stages[stage].worker} computed ${mean} of the last 5 seconds`);
          });
          showSteps(engine);
        };
        const showSteps = (engine) => {
          const all = engine.recent.steps;
          $('zoom-part').hidden = !all.length;
          if (!all.length) return;
          // As many of the last ones as can be told apart; a pause before them is not part of the picture.
          const steps = all.slice(-24);
          const last = steps[steps.length - 1].arrived_seconds;
          const mean = sum(steps.map((step) => step.arrived_seconds - step.sent_seconds)) / steps.length;
          const first = Math.max(Math.min(...steps.map((step) => step.sent_seconds)), last - 24 * mean);
          const span = Math.max(last - first, 1e-6);
          put('zoom-title', `The last steps, ${time(span)}, ending ${time(Math.max(0, engine.uptime_seconds - last))} ago`);
          put('zoom-from', '0');
          put('zoom-to', time(span));
          lanes('zoom', engine).forEach((lane, stage) => {
            const canvas = lane.children[1];
            const [context, width] = surface(canvas, 18);
            for (const step of steps) {
              const start = step.start_seconds[stage];
              if (start === undefined || start < first) continue;
              const isPrompt = step.prompt_rows * 2 > step.rows;
              context.fillStyle = color(isPrompt ? '--prompt' : step.id % 2 ? '--compute' : '--compute-other');
              context.fillRect((start - first) / span * width, 0, Math.max(0.5, step.compute_seconds[stage] / span * width), 18);
            }
            canvas.setAttribute('aria-label', `${engine.stages[stage].worker}: when it computed the last ${steps.length} steps`);
          });
        };

        """#
}
