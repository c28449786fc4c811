/// How the dashboard looks: one column of panels, light or dark as the reader's system is, down to a width of 320 pixels.
enum DashboardStyle {
    static let css = #"""

        :root {
          --page: #f6f7f8; --panel: #ffffff; --text: #1c2126; --quiet: #57606a; --line: #d8dde2; --track: #e9ecef;
          --compute: #2563a8; --compute-other: #5b93d2; --prompt: #a85b00; --good: #1a7440; --warn: #8a5a00; --bad: #b3261e;
          --focus: #0b57d0;
          color-scheme: light dark;
        }
        @media (prefers-color-scheme: dark) {
          :root {
            --page: #121518; --panel: #1a1e22; --text: #e3e7eb; --quiet: #9da7b1; --line: #323940; --track: #272d33;
            --compute: #6aaef2; --compute-other: #3f7fc0; --prompt: #e2a457; --good: #5cc98a; --warn: #e0b04a; --bad: #ff8f86;
            --focus: #8ab4f8;
          }
        }
        * { box-sizing: border-box; }
        body {
          margin: 0; background: var(--page); color: var(--text);
          font: 14px/1.45 system-ui, "Segoe UI", "Noto Sans", "DejaVu Sans", sans-serif; font-variant-numeric: tabular-nums;
        }
        main, header { max-width: 1180px; margin: 0 auto; padding: 0 16px; }
        header { display: flex; flex-wrap: wrap; gap: 4px 16px; align-items: baseline; padding-top: 14px; padding-bottom: 10px; }
        h1 { font-size: 16px; margin: 0; font-weight: 650; }
        h2 { font-size: 13px; margin: 0 0 8px; font-weight: 650; }
        h2 small { font-weight: 400; color: var(--quiet); font-size: 13px; margin-left: 6px; }
        #facts { color: var(--quiet); margin-left: auto; }
        #status { font-weight: 600; }
        #status::before { content: ""; display: inline-block; width: 9px; height: 9px; border-radius: 50%; margin-right: 7px; background: var(--quiet); }
        #status.good::before { background: var(--good); }
        #status.warn::before { background: var(--warn); }
        #status.bad { color: var(--bad); }
        #status.bad::before { background: var(--bad); border-radius: 0; }
        section { background: var(--panel); border: 1px solid var(--line); border-radius: 6px; padding: 12px 14px; margin-bottom: 12px; min-width: 0; }
        .columns { display: grid; grid-template-columns: 1fr 1fr; gap: 0 12px; align-items: start; }
        .stale section:not(#chat) { opacity: .55; }
        [hidden] { display: none !important; }

        .figures { display: grid; grid-template-columns: repeat(6, 1fr); gap: 1px; background: var(--line); padding: 0; overflow: hidden; }
        .figures > div { background: var(--panel); padding: 10px 14px; min-width: 0; }
        .figures dt { color: var(--quiet); font-size: 12px; }
        .figures dd { margin: 0; font-size: 21px; line-height: 1.3; white-space: nowrap; }
        .figures dd small { font-size: 12px; color: var(--quiet); }
        .figures p { margin: 0; color: var(--quiet); font-size: 12px; }
        dl { margin: 0; }

        canvas { display: block; width: 100%; }
        .lane { display: grid; grid-template-columns: 190px 1fr 52px; gap: 2px 10px; align-items: center; margin: 4px 0; }
        .lane .name { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
        .lane .name span { color: var(--quiet); }
        .lane .share { text-align: right; }
        .axis { color: var(--quiet); font-size: 12px; display: grid; grid-template-columns: 190px 1fr 52px; gap: 0 10px; }
        .axis div { display: flex; justify-content: space-between; grid-column: 2; }
        .legend { color: var(--quiet); font-size: 12px; margin: 6px 0 0; }
        .legend span { white-space: nowrap; margin-right: 12px; }
        .legend i { display: inline-block; width: 10px; height: 10px; margin-right: 5px; border-radius: 2px; vertical-align: -1px; }
        .legend i.token { background: var(--compute); }
        .legend i.prompt { background: var(--prompt); }
        .legend i.idle { background: var(--track); }
        #bottleneck { margin: 0 0 8px; }
        h3 { font-size: 12px; font-weight: 600; color: var(--quiet); margin: 12px 0 2px; }

        table { border-collapse: collapse; width: 100%; }
        th, td { text-align: left; padding: 4px 10px 4px 0; border-bottom: 1px solid var(--line); vertical-align: baseline; }
        tr:last-child > * { border-bottom: 0; }
        thead th { color: var(--quiet); font-weight: 500; font-size: 12px; white-space: nowrap; }
        tbody th { font-weight: 600; }
        #http th, #links th { overflow-wrap: anywhere; }
        td.number, th.number { text-align: right; white-space: nowrap; }
        th:last-child, td:last-child { padding-right: 0; }
        .state.active, .state.loaded { color: var(--good); }
        .state.loading, .state.joined { color: var(--warn); }
        .state.absent { color: var(--bad); font-weight: 600; }
        progress { width: 90px; height: 8px; accent-color: var(--compute); vertical-align: middle; margin-right: 6px; }
        .quiet { color: var(--quiet); }
        .empty { color: var(--quiet); margin: 0; }
        .meter { height: 10px; display: flex; border-radius: 2px; overflow: hidden; background: var(--track); margin: 4px 0 6px; }
        .meter span { background: var(--compute); }
        .meter span + span { background: var(--prompt); }

        button, input, textarea { font: inherit; color: inherit; }
        button { white-space: nowrap; padding: 5px 14px; border: 1px solid var(--line); border-radius: 4px; background: var(--page); cursor: pointer; }
        button.main { background: var(--compute); border-color: var(--compute); color: var(--panel); font-weight: 600; }
        button:disabled { opacity: .5; cursor: default; }
        input, textarea { width: 100%; padding: 6px 8px; border: 1px solid var(--quiet); border-radius: 4px; background: var(--panel); }
        textarea { resize: vertical; min-height: 60px; display: block; }
        :focus-visible { outline: 2px solid var(--focus); outline-offset: 2px; }
        label { display: block; color: var(--quiet); font-size: 12px; margin-bottom: 3px; }
        .buttons { display: flex; flex-wrap: wrap; gap: 8px; margin-top: 8px; align-items: center; }
        .buttons p { margin: 0; flex: 1 1 180px; color: var(--quiet); font-size: 12px; text-align: right; }
        #talk { margin: 0 0 10px; padding: 0; list-style: none; max-height: 340px; overflow-y: auto; }
        #talk li { padding: 6px 0; border-bottom: 1px solid var(--line); white-space: pre-wrap; overflow-wrap: anywhere; }
        #talk b { display: block; font-size: 12px; color: var(--quiet); font-weight: 600; }
        #talk .error { color: var(--bad); }
        .skip { position: absolute; left: -999px; }
        .skip:focus { position: static; padding: 6px 16px; display: inline-block; }

        @media (max-width: 900px) {
          .figures { grid-template-columns: repeat(3, 1fr); }
          .columns { grid-template-columns: 1fr; }
        }
        @media (max-width: 620px) {
          main, header { padding-left: 10px; padding-right: 10px; }
          #facts { margin-left: 0; flex-basis: 100%; }
          .figures { grid-template-columns: repeat(2, 1fr); }
          .lane { grid-template-columns: 1fr auto; }
          .lane canvas { grid-column: 1 / -1; grid-row: 2; }
          .axis { grid-template-columns: 1fr; }
          .axis div { grid-column: 1; }
          .cards thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
          .cards, .cards tbody, .cards tr, .cards th, .cards td { display: block; }
          .cards tr { padding: 6px 0; border-bottom: 1px solid var(--line); }
          .cards tr:last-child { border-bottom: 0; }
          .cards th, .cards td, .cards td.number { border: 0; padding: 1px 0; text-align: left; white-space: normal; }
          .cards td::before { content: attr(data-label); color: var(--quiet); display: inline-block; min-width: 92px; }
          .cards td:empty { display: none; }
        }
        @media (prefers-reduced-motion: no-preference) { main { transition: opacity .2s; } }

        """#
}
