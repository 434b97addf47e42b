/// The style sheet of the report.
enum ReportStyle {
    static let css = """
        :root{color-scheme:light dark;--page:#f6f7f8;--card:#fff;--ink:#1a1e24;--soft:#5b6470;
        --faint:#8a939e;--line:#e2e5e9;--grid:#eceef1;--c1:#1f62c4;--c2:#c9660a;--good:#197a43;
        --bad:#b3261e;--warn:#8f5b00;--raw:.32}
        @media(prefers-color-scheme:dark){:root{--page:#111418;--card:#191d23;--ink:#e7eaee;
        --soft:#a3acb8;--faint:#7b8490;--line:#2b313a;--grid:#242a32;--c1:#79aefc;--c2:#eea058;
        --good:#5ccb8b;--bad:#ff8a80;--warn:#e9b44c;--raw:.45}}
        *{box-sizing:border-box}
        body{margin:0;background:var(--page);color:var(--ink);
        font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;
        -webkit-text-size-adjust:100%;font-variant-numeric:tabular-nums}
        main{max-width:1120px;margin:0 auto;padding:36px 24px 48px}
        h1{font-size:30px;line-height:1.2;margin:2px 0 10px;letter-spacing:-.015em;
        font-weight:650;overflow-wrap:anywhere}
        h2{font-size:19px;margin:44px 0 12px;font-weight:650;letter-spacing:-.01em}
        h2:has(+.note){margin-bottom:0}
        h4{font-size:12px;margin:12px 0 6px;color:var(--soft);font-weight:550}
        p{margin:0}
        small{font-size:.58em;font-weight:500;color:var(--soft)}
        code,pre{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace}
        .kind{color:var(--soft);font-size:13px}
        .state{display:flex;flex-wrap:wrap;align-items:center;gap:6px 12px;color:var(--soft);
        font-size:13px}
        .pill{font-weight:600;font-size:12.5px;padding:1px 10px;border-radius:99px;
        color:var(--soft);border:1px solid currentColor}
        .pill.running{color:var(--c1)}.pill.finished{color:var(--good)}
        .pill.failed{color:var(--bad)}.pill.interrupted,.pill.stopped{color:var(--warn)}
        .bar{width:160px;height:6px;border-radius:3px;background:var(--line);overflow:hidden}
        .bar i{display:block;height:100%;background:var(--c1)}
        .notice{margin:18px 0 0;padding:9px 14px;border-left:3px solid var(--bad);
        background:var(--card);border-radius:0 6px 6px 0}
        .note{color:var(--soft);font-size:13px;margin:2px 0 12px}
        .tiles{display:grid;grid-template-columns:repeat(4,1fr);margin:26px 0 0;
        background:var(--card);border:1px solid var(--line);border-radius:10px;overflow:hidden}
        .tile{box-shadow:1px 1px 0 var(--line);padding:13px 16px 12px;display:flex;flex-direction:column}
        .label{font-size:12.5px;color:var(--soft)}
        .value{font-size:25px;line-height:1.3;font-weight:600;letter-spacing:-.01em}
        .detail{font-size:12px;color:var(--soft);line-height:1.4}
        .detail span,.places span{white-space:nowrap}
        .charts{display:grid;grid-template-columns:repeat(3,minmax(0,1fr));gap:14px;margin:14px 0 0}
        .charts.wide{grid-template-columns:repeat(2,minmax(0,1fr))}
        .charts+.scroll{margin-top:14px}
        .chart{margin:0;background:var(--card);border:1px solid var(--line);border-radius:10px;
        padding:12px 16px 43px;min-width:0}
        .chart figcaption{display:flex;align-items:baseline;gap:8px;font-size:13.5px;
        margin-bottom:8px}
        .chart b{font-weight:600}
        .unit{color:var(--faint);font-size:12px;white-space:nowrap}
        .unit sup{line-height:0}
        .last{margin-left:auto;font-weight:600;white-space:nowrap}
        .legend{display:flex;flex-wrap:wrap;gap:2px 16px;font-size:12px;color:var(--soft);
        margin:-3px 0 8px}
        .legend span{display:inline-flex;align-items:center;gap:6px}
        .plot{position:relative;height:170px}
        .wide .plot{height:230px}.large .plot{height:270px}
        .plot svg{position:absolute;inset:0;width:100%;height:100%;overflow:visible;display:block}
        .chart path{fill:none;vector-effect:non-scaling-stroke;stroke-linejoin:round;
        stroke-linecap:round}
        .grid{stroke:var(--grid);stroke-width:1}
        .base{stroke:var(--faint);stroke-width:1}
        .c1{stroke:var(--c1)}.c2{stroke:var(--c2)}
        .faint{stroke-width:1;opacity:var(--raw)}
        .solid,.marked{stroke-width:1.6}
        .chart path.dashed{stroke-width:1.4;stroke-dasharray:5 4;stroke-linecap:butt}
        .dot{stroke-width:5.5}.alone{stroke-width:7;opacity:1}
        .x,.y,.end,.axis{position:absolute;font-size:11.5px;line-height:14px;color:var(--soft);
        white-space:nowrap}
        .y{right:100%;margin:-7px 8px 0 0}
        .x{top:100%;margin-top:7px;transform:translateX(-50%)}
        .axis{top:100%;right:0;margin-top:22px;color:var(--faint)}
        .end{left:100%;margin:-7px 0 0 8px;color:var(--ink)}
        .scroll{overflow-x:auto;background:var(--card);border:1px solid var(--line);
        border-radius:10px}
        table{border-collapse:collapse;width:100%;font-size:13px}
        th,td{padding:4px 10px;text-align:right;white-space:nowrap}
        th{font-weight:550;color:var(--soft);font-size:12px;vertical-align:bottom}
        thead tr:first-child th{padding-top:9px}
        .text{text-align:left}.group{text-align:center}
        tr.first td{border-top:1px solid var(--line);padding-top:7px}
        tr.best td:nth-child(n+6){font-weight:680}
        tbody tr:last-child td{padding-bottom:9px}
        .sample{background:var(--card);border:1px solid var(--line);border-radius:10px;
        padding:16px;margin:0 0 14px}
        .sample header{display:flex;gap:14px;align-items:center}
        .sample header .thumb{width:72px;height:72px;flex:none}
        .query{font-size:17px;line-height:1.35;font-weight:550;overflow-wrap:anywhere}
        .places{font-size:13px;color:var(--soft);margin-top:3px}
        .places b{color:var(--ink)}.places .better{color:var(--good)}.places .worse{color:var(--bad)}
        .found{display:grid;grid-template-columns:repeat(8,minmax(0,1fr));gap:8px}
        .hit{margin:0;min-width:0}
        .thumb{display:block;aspect-ratio:1;border-radius:6px;background:var(--grid) center/contain
        no-repeat;print-color-adjust:exact;-webkit-print-color-adjust:exact}
        .thumb.none{font-size:10px;line-height:1.25;color:var(--soft);padding:5px;overflow:hidden;
        overflow-wrap:anywhere}
        .hit figcaption{display:flex;gap:5px;font-size:11.5px;line-height:1.3;color:var(--soft);
        padding:3px 2px 0}
        .hit figcaption b{color:var(--ink);font-weight:600}
        .hit figcaption span:last-child{margin-left:auto}
        .hit.right .thumb{outline:2.5px solid var(--good);outline-offset:1px}
        .hit .check,.hit.right figcaption b{color:var(--good)}
        pre{margin:0;background:var(--card);border:1px solid var(--line);border-radius:10px;
        padding:14px 16px;font-size:12.5px;line-height:1.55;overflow-x:auto}
        footer{margin-top:36px;font-size:12.5px;color:var(--faint)}
        @media(max-width:860px){.tiles{grid-template-columns:repeat(2,1fr)}
        .charts{grid-template-columns:repeat(2,minmax(0,1fr))}
        .charts.wide{grid-template-columns:minmax(0,1fr)}}
        @media(max-width:560px){main{padding:22px 14px 36px}h1{font-size:24px}
        .charts{grid-template-columns:minmax(0,1fr)}.chart{padding:11px 13px 41px}
        .plot,.wide .plot,.large .plot{height:190px}
        .found{grid-template-columns:repeat(4,minmax(0,1fr))}.tile{padding:11px 13px 10px}
        .value{font-size:21px}.size{display:none}th,td{padding:4px 7px}.query{font-size:16px}}
        @media print{body{background:#fff}.chart,.sample,.tile{break-inside:avoid}}
        """
}
