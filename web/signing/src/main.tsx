import { createRoot } from 'react-dom/client'
import './look/tokens.css'
import './look/controls.css'
import './session/session.css'
import './triage/triage.css'
import './draft/draft.css'
import { App } from './app.tsx'
import { Boundary } from './look/boundary.tsx'
import { door } from './releaser/client.ts'
import { createSession, type Tabs } from './session/session.ts'

const session = createSession({ door, tabs: otherTabs() })
void session.begin(takeCode())
window.addEventListener('hashchange', () => {
  const code = takeCode()
  if (code !== undefined) void session.begin(code)
})
createRoot(document.getElementById('root')!).render(<Boundary><App session={session} /></Boundary>)

/** The code of a link from the terminal. It leaves the address at once, and so the history. */
function takeCode(): string | undefined {
  const code = /^#enrol=([\w.-]{1,200})$/.exec(location.hash)?.[1]
  if (code !== undefined) history.replaceState(null, '', location.pathname)
  return code
}

function otherTabs(): Tabs {
  const channel = new BroadcastChannel('castellan-session')
  return {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel reaches its own origin only
    tell: (what) => channel.postMessage(what),
    hear: (listener) => channel.addEventListener('message', ({ data }) => listener(data)),
  }
}
