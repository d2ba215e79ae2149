import { IconFingerprint, IconKey, IconRefresh } from '@tabler/icons-react'
import { useEffect, useState, type FormEvent } from 'react'
import { Alert } from '../look/alert.tsx'
import { Button } from '../look/button.tsx'
import type { House } from '../releaser/answers.ts'
import type { Refusal } from '../releaser/call.ts'
import { Front } from './front.tsx'
import { toRefusal, type Session, type Standing } from './session.ts'

const enrolCommand = 'npx castellan operator enroll --passkey'

export function Asking() {
  return <Front title="Opening …"><p className="waiting-dots" role="status">Asking the house whether this browser may sign.</p></Front>
}

/** Tries again by itself, so that a house that is being started is found. */
export function Unreachable({ problem, onRetry }: { readonly problem: Refusal; readonly onRetry: () => void }) {
  const isLocked = problem.code === 'signin.locked'
  useEffect(() => {
    const timer = setTimeout(onRetry, isLocked ? 30_000 : 5_000)
    window.addEventListener('online', onRetry)
    return () => {
      clearTimeout(timer)
      window.removeEventListener('online', onRetry)
    }
  }, [onRetry, isLocked, problem])
  return (
    <Front title={isLocked ? 'Locked for five minutes' : 'The house does not answer'}>
      <Alert tone="bad" live>{problem.message}</Alert>
      <p>{isLocked ? 'There were five wrong tries. Drafts wait meanwhile, and their deadlines go on.' : 'Nothing can be decided until it does, and nothing is kept here for later. On the machine of the house, this says what is wrong:'}</p>
      {!isLocked && <code className="command">npx castellan doctor</code>}
      <Button icon={<IconRefresh size={18} aria-hidden="true" />} onClick={onRetry}>Try now</Button>
    </Front>
  )
}

export function Unenrolled({ house, onCode }: { readonly house: House; readonly onCode: (code: string) => void }) {
  return (
    <Front title="No passkey may sign here yet" house={house.house}>
      <p>A passkey is enrolled from the terminal of the machine, so that nobody who only reaches this page can become the operator.</p>
      {house.enrolled_for !== undefined && house.enrolled_for.length > 0 && (
        <Alert><span>There are passkeys for {house.enrolled_for.join(', ')}, which do not work at {house.rp_id}. Enrol one for this name, or set <code>outbox.rp_id</code> back.</span></Alert>
      )}
      <ol className="front-steps">
        <li><span>On the machine of the house, type:</span><code className="command">{enrolCommand}</code></li>
        <li><span>Open the link that it prints on this device, or type its code here. It is good for ten minutes, once.</span><CodeForm onCode={onCode} /></li>
      </ol>
    </Front>
  )
}

function CodeForm({ onCode }: { readonly onCode: (code: string) => void }) {
  const [code, setCode] = useState('')
  const go = (event: FormEvent) => {
    event.preventDefault()
    onCode(code.trim())
  }
  return (
    <form className="code-form" onSubmit={go}>
      <label className="field"><span>Code from the terminal</span><input className="mono" value={code} onChange={(event) => setCode(event.target.value)} maxLength={40} required autoComplete="one-time-code" autoCapitalize="characters" spellCheck={false} /></label>
      <Button submit disabled={code.trim() === ''}>Go on</Button>
    </form>
  )
}

/** Passkeys belong to one address; at another name of the same machine they would not be found. */
export function Elsewhere({ house }: { readonly house: House }) {
  return (
    <Front title="Drafts are signed at another address" house={house.house}>
      <p>This house signs at <code>{house.sign_origin}</code> only, and this page was opened at <code>{location.origin}</code>.</p>
      <a className="button primary" href={`${house.sign_origin}/${location.hash}`}>Go there</a>
    </Front>
  )
}

const greetings = {
  new: { title: 'Sign in to decide', text: 'One use of your passkey opens eight hours. Until then this browser signs what is low in risk at one keystroke; everything else asks for the passkey each time.' },
  over: { title: 'The session is over', text: 'It ended after its eight hours, or it was revoked. Drafts wait for you until their deadlines; nothing was decided meanwhile.' },
  locked: { title: 'Locked', text: 'The session key of this browser was thrown away. Drafts go on waiting until their deadlines.' },
  enrolled: { title: 'The passkey is enrolled', text: 'Now use it once to open eight hours in this browser.' },
}

export function SignIn({ standing, session }: { readonly standing: Extract<Standing, { at: 'out' }>; readonly session: Session }) {
  const [problem, setProblem] = useState<Refusal>()
  const [isBusy, setBusy] = useState(false)
  const { title, text } = greetings[standing.why]
  const signIn = async () => {
    setBusy(true)
    setProblem(undefined)
    await session.signIn().catch((error: unknown) => setProblem(toRefusal(error)))
    setBusy(false)
  }
  return (
    <Front title={title} house={standing.house.house}>
      <p>{text}</p>
      {problem && <Alert tone={problem.code === 'passkey.cancelled' ? 'warm' : 'bad'} live>{problem.message}{problem.code === 'signin.locked' && ' Five wrong tries lock the door for five minutes.'}</Alert>}
      <Button kind="primary" autoFocus disabled={isBusy} onClick={signIn} icon={<IconFingerprint size={20} aria-hidden="true" />}>{isBusy ? 'Asking for the passkey …' : 'Use passkey'}</Button>
      <details className="front-fine">
        <summary>No passkey on this device?</summary>
        <p>On the machine of the house, type <code>{enrolCommand}</code>, and open its link here or type its code:</p>
        <CodeForm onCode={(code) => void session.begin(code)} />
      </details>
    </Front>
  )
}

export function Enrol({ standing, session }: { readonly standing: Extract<Standing, { at: 'enrolling' }>; readonly session: Session }) {
  const [name, setName] = useState(suggestedName)
  const [problem, setProblem] = useState<Refusal>()
  const [isBusy, setBusy] = useState(false)
  const enrol = async (event: FormEvent) => {
    event.preventDefault()
    setBusy(true)
    setProblem(undefined)
    await session.enrol(standing.code, name.trim()).catch((error: unknown) => setProblem(toRefusal(error)))
    setBusy(false)
  }
  const codeIsSpent = problem !== undefined && !problem.code.startsWith('passkey.') && problem.code !== 'offline'
  return (
    <Front title="Enrol a passkey of this device" house={standing.house.house}>
      <p>With it you sign in, and sign what is high in risk. It stays on this device or in your password manager; the house keeps its public half.</p>
      <form onSubmit={enrol}>
        <label className="field">
          <span>Name of this passkey, for the list of keys</span>
          <input value={name} onChange={(event) => setName(event.target.value)} maxLength={100} required autoFocus autoComplete="off" />
        </label>
        {problem && <Alert tone="bad" live><p>{problem.message}</p>{codeIsSpent && <p>For a new code, type: <code>{enrolCommand}</code></p>}</Alert>}
        <Button kind="primary" submit disabled={isBusy || name.trim() === ''} icon={<IconKey size={20} aria-hidden="true" />}>{isBusy ? 'Making the passkey …' : 'Make passkey'}</Button>
      </form>
      <p className="front-fine">It will be bound to <code>{standing.house.rp_id}</code>, and work at <code>{standing.house.sign_origin}</code> only.</p>
    </Front>
  )
}

function suggestedName(): string {
  const system = /iPhone|iPad|Android|Macintosh|Windows|CrOS|Linux/.exec(navigator.userAgent)?.[0] ?? 'This device'
  return `${{ Macintosh: 'Mac', CrOS: 'Chromebook' }[system] ?? system}, ${new Date().toISOString().slice(0, 10)}`
}
