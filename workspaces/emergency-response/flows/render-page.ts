/** A whole page around `content`, which is HTML. */
export function render({ title, content, tone, site, hotline }: {
    title: string; content: string; tone?: "calm" | "good" | "trying" | "error"; site: string; hotline?: string;
}): { page: string } {
    const call = hotline
        ? `<p class="call">No time for this? Call <a href="tel:${html.escape(hotline.replace(/[^+\d]/g, ""))}">${html.escape(hotline)}</a></p>\n`
        : "";
    return {
        page: `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<meta name="color-scheme" content="light dark">
<title>${html.escape(title)} · ${html.escape(site)}</title>
<style>${STYLE}</style>
</head>
<body class="${tone ?? "calm"}">
<header>${html.escape(site)}</header>
<main>
<h1>${html.escape(title)}</h1>
${content}
${call}</main>
<footer>Emergency response, run by Flowlet</footer>
</body>
</html>
`,
    };
}

const STYLE = `
:root { color-scheme: light dark; --back: #f3f4f6; --card: #fff; --field: #fff; --text: #171b22; --soft: #586172; --line: #dfe3e9; --edge: #8a93a3; --alarm: #c4231b; --alarm-deep: #a11812; --bad: #b3201a; --good: #14734a; --wait: #8a5a00; --good-back: #e5f4ec; --wait-back: #fdf1d8; --bad-back: #fbe7e5; --none-back: #eceef2; --focus: #1d5fd1; }
@media (prefers-color-scheme: dark) { :root { --back: #0f1217; --card: #181c24; --field: #10141a; --text: #eceff4; --soft: #a2abba; --line: #2b323d; --edge: #5d6777; --alarm: #d93a31; --alarm-deep: #bf2b23; --bad: #ff8e85; --good: #5cd19a; --wait: #f0bd54; --good-back: #12321f; --wait-back: #3a2c0d; --bad-back: #43191a; --none-back: #262c36; --focus: #86b0ff; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: flex; flex-direction: column; background: var(--back); color: var(--text); font: 17px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; -webkit-text-size-adjust: 100%; border-top: 6px solid var(--alarm); }
body.good { border-color: var(--good); }
body.trying { border-color: var(--wait); }
header { max-width: 560px; width: 100%; margin: 0 auto; padding: 20px 24px 14px; font-weight: 600; color: var(--soft); overflow-wrap: anywhere; }
main { background: var(--card); border: 1px solid var(--line); border-radius: 14px; padding: 28px 28px 26px; max-width: 560px; width: calc(100% - 32px); margin: 0 auto 24px; }
h1 { font-size: 29px; line-height: 1.2; letter-spacing: -0.01em; margin: 0 0 10px; overflow-wrap: anywhere; }
section { margin-top: 26px; border-top: 1px solid var(--line); padding-top: 18px; }
h2 { font-size: 17px; line-height: 1.3; margin: 0 0 6px; }
p { margin: 0 0 12px; }
.lead { font-size: 18px; color: var(--soft); }
.small { font-size: 14px; color: var(--soft); margin: 16px 0 0; }
.estimate { margin: 0; }
.estimate + .small { margin-top: 2px; }
label { display: block; font-weight: 600; margin: 20px 0 6px; }
label small { font-weight: 400; font-size: 14px; color: var(--soft); margin-left: 6px; }
input, textarea { display: block; width: 100%; font: inherit; padding: 12px 14px; border: 1px solid var(--edge); border-radius: 9px; background: var(--field); color: var(--text); }
textarea { resize: vertical; }
::placeholder { color: var(--soft); opacity: 0.8; }
button, .button { display: block; width: 100%; margin-top: 26px; padding: 17px; font: inherit; font-size: 20px; font-weight: 700; text-align: center; text-decoration: none; color: #fff; background: var(--alarm); border: 0; border-radius: 10px; cursor: pointer; }
button:hover, .button:hover { background: var(--alarm-deep); }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; }
ul { list-style: none; margin: 0; padding: 0; }
li { display: flex; align-items: flex-start; gap: 12px; padding: 10px 0; }
li + li { border-top: 1px solid var(--line); }
li div { flex: 1; min-width: 0; overflow-wrap: anywhere; }
li b { display: block; font-weight: 600; }
.detail { color: var(--soft); font-size: 15px; }
.sign { flex: none; width: 28px; height: 28px; border-radius: 50%; display: grid; place-items: center; font-size: 15px; font-weight: 700; background: var(--none-back); color: var(--soft); }
.word { flex: none; font-size: 13px; font-weight: 600; padding-top: 4px; color: var(--soft); }
li.sent .sign, li.good .sign { background: var(--good-back); color: var(--good); }
li.trying .sign { background: var(--wait-back); color: var(--wait); }
li.failed .sign, li.bad .sign { background: var(--bad-back); color: var(--bad); }
li.sent .word, li.good .word { color: var(--good); }
li.trying .word { color: var(--wait); }
li.failed .word, li.bad .word { color: var(--bad); }
.call { margin: 24px 0 0; padding-top: 18px; border-top: 1px solid var(--line); }
.call a { font-weight: 700; white-space: nowrap; }
a { color: inherit; }
footer { margin-top: auto; padding: 8px 20px 24px; text-align: center; color: var(--soft); font-size: 13px; }
@media (max-width: 480px) { main { padding: 22px 20px; width: calc(100% - 20px); } header { padding: 16px 22px 12px; } h1 { font-size: 26px; } }
`;
