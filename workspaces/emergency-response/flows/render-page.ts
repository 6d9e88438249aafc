/** A whole page around `content`, which is HTML. */
export function render({ title, content, tone, site, hotline }: {
    title: string; content: string; tone?: "calm" | "alarm" | "error"; site: string; hotline?: string;
}): { page: string } {
    const call = hotline ? `<p class="call">No time for this? Call <a href="tel:${html.escape(hotline.replace(/[^+\d]/g, ""))}">${html.escape(hotline)}</a></p>` : "";
    return {
        page: `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${html.escape(title)} · ${html.escape(site)}</title>
<style>${STYLE}</style>
</head>
<body class="${tone ?? "calm"}">
<header><span class="mark" aria-hidden="true"></span><span>${html.escape(site)}</span></header>
<main>
<h1>${html.escape(title)}</h1>
${content}
${call}
</main>
<footer>Emergency response, powered by Flowlet</footer>
</body>
</html>
`,
    };
}

const STYLE = `
:root { color-scheme: light dark; --back: #f4f5f7; --card: #fff; --text: #1b1f27; --soft: #5b6472; --line: #d9dde4; --accent: #b3261e; --on: #fff; --good: #1a7f4b; --wait: #9a6700; --focus: #1f5fd0; }
@media (prefers-color-scheme: dark) { :root { --back: #12151b; --card: #1b2029; --text: #e8ebf0; --soft: #9aa4b2; --line: #323a47; --accent: #e5534b; --on: #fff; --good: #4cc38a; --wait: #e3b341; --focus: #7aa7ff; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: flex; flex-direction: column; background: var(--back); color: var(--text); font: 17px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
header { display: flex; align-items: center; gap: 10px; padding: 18px 20px; max-width: 660px; width: 100%; margin: 0 auto; font-weight: 600; }
.mark { width: 14px; height: 14px; border-radius: 50%; background: var(--good); }
.alarm .mark, .error .mark { background: var(--accent); }
main { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 28px 24px; max-width: 620px; width: calc(100% - 32px); margin: 0 auto 24px; }
h1 { font-size: 28px; line-height: 1.2; margin: 0 0 8px; }
h2 { font-size: 18px; margin: 28px 0 8px; }
p { margin: 0 0 14px; }
.lead { color: var(--soft); }
label { display: block; font-weight: 600; margin: 18px 0 6px; }
label small { font-weight: 400; color: var(--soft); }
input, textarea { width: 100%; font: inherit; padding: 12px 14px; border: 1px solid var(--soft); border-radius: 8px; background: var(--back); color: var(--text); }
textarea { min-height: 88px; resize: vertical; }
input:focus-visible, textarea:focus-visible, button:focus-visible, a:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; }
button { width: 100%; margin-top: 24px; padding: 18px; font: inherit; font-size: 20px; font-weight: 700; color: var(--on); background: #b3261e; border: 0; border-radius: 10px; cursor: pointer; }
button:hover { background: #8f1d17; }
ul { list-style: none; margin: 0; padding: 0; }
li { display: flex; gap: 10px; padding: 10px 0; border-top: 1px solid var(--line); overflow-wrap: anywhere; }
li:first-child { border-top: 0; }
li b { display: block; }
li span { color: var(--soft); }
.state { flex: 0 0 92px; font-weight: 700; font-size: 14px; padding-top: 2px; }
.good { color: var(--good); } .trying { color: var(--wait); } .bad { color: var(--accent); } .unknown { color: var(--soft); }
.notice { border-left: 4px solid var(--accent); padding: 10px 14px; background: var(--back); border-radius: 0 8px 8px 0; }
.call { margin: 24px 0 0; padding-top: 16px; border-top: 1px solid var(--line); }
a { color: inherit; }
footer { margin-top: auto; padding: 16px 20px 24px; text-align: center; color: var(--soft); font-size: 13px; }
`;
