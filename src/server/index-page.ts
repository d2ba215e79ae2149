const commands = [
  ['castellan today', 'what needs you, what ran, what did not and why'],
  ['castellan draft list', 'what waits for your signature'],
  ['castellan job list', 'the jobs of this house and their next slots'],
  ['castellan run list', 'every run, with its timeline'],
  ['castellan tool list', 'everything a job can do'],
  ['castellan audit verify', 'proof that the record is whole'],
  ['castellan doctor', 'each part, and the command that mends it'],
] as const

export const pageStyle = `
:root { color-scheme: dark; font: 16px/1.6 system-ui, sans-serif; background: #0f1318; color: #d8dee6 }
body { margin: 0; min-height: 100vh; display: grid; place-items: center }
main { width: min(44rem, 100% - 2.5rem); padding: 3rem 0 }
h1 { margin: 0; font-size: 2rem; letter-spacing: -.02em; color: #fff }
.state { display: inline-flex; align-items: center; gap: .55rem; margin: 0 0 1.2rem; color: #8fd6a4; font-size: .95rem }
.state::before { content: ""; width: .6rem; height: .6rem; border-radius: 50%; background: #4cc573; box-shadow: 0 0 0 .25rem #4cc57326 }
.promise { margin: .4rem 0 2rem; color: #a7b1bd }
dl { margin: 0; border: 1px solid #252c36; border-radius: .8rem; overflow: hidden; background: #151a21 }
div { display: flex; flex-wrap: wrap; gap: .1rem 1rem; padding: .75rem 1.1rem }
div + div { border-top: 1px solid #252c36 }
dt { flex: 0 0 14rem; font: .92rem/1.7 ui-monospace, monospace; color: #f2c879 }
dd { flex: 1 1 16rem; margin: 0; color: #a7b1bd }
footer { margin-top: 1.6rem; font-size: .875rem; color: #8b96a3 }
code { font-family: ui-monospace, monospace; color: #c5ced8 }
`

/** A page without data or script, so that it may be shown to any program on this machine. */
export function indexPage(): string {
  const rows = commands.map(([command, does]) => `<div><dt>${command}</dt><dd>${does}</dd></div>`).join('\n')
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="dark">
<title>Castellan</title>
<style>${pageStyle}</style>
</head>
<body>
<main>
<p class="state">Castellan is up</p>
<h1>Your back office, on your own machine</h1>
<p class="promise">Agents and jobs gather, draft and prepare. Nothing leaves the house until you have signed the exact bytes.</p>
<dl>
${rows}
</dl>
<footer>Type these in a terminal on this machine. For programs: <code>/healthz</code> and <code>/readyz</code>.</footer>
</main>
</body>
</html>
`
}
