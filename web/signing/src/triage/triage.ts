import { agrees, checkDraft, takesPasskey, type CheckedDraft } from '../keys/check-draft.ts'
import { usePasskey } from '../keys/passkey.ts'
import { checkTimed } from '../keys/set-time.ts'
import { moment } from '../look/clock.ts'
import { createStore } from '../look/store.ts'
import type { DraftSummary, Recipients } from '../releaser/answers.ts'
import type { Refusal } from '../releaser/call.ts'
import type { Approval } from '../releaser/client.ts'
import { toRefusal, type Session } from '../session/session.ts'
import { batchOf, beginning, closedStates, findDraft, nextWaiting, obstacleTo, openStates, reduce, rowsOf, undoable, type Act, type Opened, type Triage, type TriageEvent } from './triage-state.ts'

export interface Notice {
  readonly text: string
  readonly tone: 'plain' | 'good' | 'bad'
  readonly at: number
}

/** Wires above this are fetched when their draft is opened, and not before; in bytes. */
const lightEnough = 300_000

/** So long no key approves what came under the cursor by itself: nobody reads it faster, and a key is easily pressed twice. */
const firstLookMs = 400

/** The verbs of the page. Each shows at once what it does, and afterwards what the releaser made of it. */
export function createTriage({ client, sign }: Pick<Session, 'client' | 'sign'>, skew: number) {
  const store = createStore<Triage>(beginning)
  const notice = createStore<Notice | undefined>(undefined)
  const now = () => Date.now() + skew
  const dispatch = (event: TriageEvent) => {
    const { arriving: before } = store.get()
    store.set(reduce(store.get(), event))
    const { arriving } = store.get()
    if (arriving !== undefined && arriving !== before) setTimeout(() => dispatch({ type: 'arrived', id: arriving }), firstLookMs)
  }
  const say = (text: string, tone: Notice['tone'] = 'plain') => notice.set({ text, tone, at: Date.now() })
  let listing: Promise<void> | undefined
  let again = false
  /** A draft of which this page knows before its list does. */
  let expected: string | undefined

  /** One list at a time; whoever asks meanwhile gets one more after it. */
  function refresh(): Promise<void> {
    if (listing) again = true
    listing ??= (async () => {
      do {
        again = false
        await list()
      } while (again)
    })().finally(() => (listing = undefined))
    return listing
  }

  async function list(): Promise<void> {
    try {
      const [drafts, outbox] = await Promise.all([client.list(openStates, 1000), client.outbox()])
      dispatch({ type: 'outbox', outbox })
      const before = store.get().open
      const gone = before.filter(({ id }) => !drafts.some((draft) => draft.id === id))
      const needsClosed = gone.length > 0 || store.get().view === 'history'
      const closed = needsClosed ? await client.list(closedStates, 200) : undefined
      dispatch({ type: 'listed', drafts, ended: closed?.filter(({ id }) => gone.some((draft) => draft.id === id)) ?? [], now: now(), point: drafts.find(({ id }) => id === expected)?.id })
      if (drafts.some(({ id }) => id === expected)) expected = undefined
      if (closed) dispatch({ type: 'history', drafts: closed.sort((a, b) => Date.parse(b.closed_at ?? b.frozen_at) - Date.parse(a.closed_at ?? a.frozen_at)) })
      const { cursor, opened } = store.get()
      if (cursor !== undefined && opened[cursor] !== undefined) await open(cursor, 'anew')
    } catch (error) {
      dispatch({ type: 'list-failed', problem: toRefusal(error) })
    }
  }

  /** Fetches a draft and checks it here: hashes, and what the bytes say. */
  async function open(id: string, how: 'once' | 'anew' = 'once'): Promise<void> {
    const known = store.get().opened[id]
    if (how === 'once' && (known?.at === 'loading' || (known?.at === 'ready' && isStillAs(findDraft(store.get(), id), known)))) return
    if (known?.at !== 'ready') dispatch({ type: 'opened', id, opened: { at: 'loading' } })
    try {
      dispatch({ type: 'opened', id, opened: { at: 'ready', check: await fetchChecked(id) } })
    } catch (error) {
      const problem = toRefusal(error)
      if (known?.at !== 'ready') dispatch({ type: 'opened', id, opened: { at: 'failed', problem } })
      if (problem.code === 'offline') dispatch({ type: 'online', online: false })
    }
  }

  async function fetchChecked(id: string) {
    const check = await checkDraft(await client.draft(id))
    // the bytes were read and hashed; megabytes of base64 need not stay
    const detail = { ...(check.ok ? check.draft.detail : check.detail), wire: '' }
    return check.ok ? { ...check, draft: { ...check.draft, detail } } : { ...check, detail }
  }

  /** What will be under the cursor next, so that it is there at once. */
  function openAhead(): void {
    const { cursor } = store.get()
    const rows = rowsOf(store.get())
    const at = rows.findIndex(({ id }) => id === cursor)
    for (const { id, attachments } of rows.slice(at + 1, at + 3)) {
      if (attachments.reduce((sum, { length }) => sum + length, 0) < lightEnough) void open(id)
    }
  }

  /** Does it, shows that it does, and says how it failed. Nothing is kept for later: who is offline is told so. */
  async function act<T>(id: string, doing: Extract<Act, { doing: string }>['doing'], work: () => Promise<T>): Promise<T | undefined> {
    if (isDoing(id)) return undefined
    if (!store.get().online) return void say('Offline: nothing was done, and nothing is kept for later.', 'bad')
    notice.set(undefined)
    dispatch({ type: 'act', id, act: { doing } })
    try {
      const done = await work()
      dispatch({ type: 'act', id, act: undefined })
      return done
    } catch (error) {
      fail(id, toRefusal(error))
      return undefined
    }
  }

  function isDoing(id: string): boolean {
    return 'doing' in (store.get().acts[id] ?? {})
  }

  function fail(id: string, problem: Refusal): void {
    const text = wordsOf(problem)
    dispatch({ type: 'act', id, act: { failed: text } })
    say(text, problem.code === 'passkey.cancelled' ? 'plain' : 'bad')
    if (problem.code === 'offline') dispatch({ type: 'online', online: false })
    if (problem.code === 'draft.changed') void open(id, 'anew')
    void refresh()
  }

  const obstacle = (id: string) => obstacleTo(store.get(), id, now())

  /** Only what is on the screen is signed: from the list alone, the first keystroke opens it. */
  async function approve(id: string, isShown: boolean, wantsPasskey = false): Promise<void> {
    if (!isShown) return dispatch({ type: 'pointed', id, reading: true })
    const opened = store.get().opened[id]
    const why = obstacle(id)
    if (why !== undefined) {
      if (opened?.at === 'ready' && opened.before && store.get().arriving !== id) dispatch({ type: 'seen', id })
      return say(why)
    }
    if (opened?.at !== 'ready' || !opened.check.ok) return
    const { draft } = opened.check
    const byPasskey = wantsPasskey || takesPasskey(draft.document)
    const deciding = act(id, byPasskey ? 'passkey' : 'signing', async () => decided(id, await client.approve(id, draft.hash, byPasskey ? await passkeyFor(draft) : await sign(draft.challenge))))
    if (!byPasskey && isDoing(id)) goOn(id)
    if ((await deciding) && byPasskey) goOn(id)
  }

  /** Signs it with a time to leave, which makes it a new draft: the one that was read, in nothing else. */
  async function approveAt(id: string, at: Date): Promise<void> {
    dispatch({ type: 'overlay', overlay: undefined })
    const opened = store.get().opened[id]
    const why = obstacle(id)
    if (why !== undefined) return say(why)
    if (opened?.at !== 'ready' || !opened.check.ok) return
    const { draft } = opened.check
    const done = await act(id, takesPasskey(draft.document) ? 'passkey' : 'signing', () => signAt(draft, at.toISOString()))
    if (done) say(`Approved. It leaves at ${moment(at)}.`, 'good')
    await refresh()
  }

  async function signAt(draft: CheckedDraft, notBefore: string | null): Promise<true> {
    const timed = notBefore === draft.document.not_before ? draft : await checkTimed(draft, await client.schedule(draft.id, draft.hash, notBefore), notBefore)
    expected = timed.id
    return decided(timed.id, await client.approve(timed.id, timed.hash, takesPasskey(timed.document) ? await passkeyFor(timed) : await sign(timed.challenge)))
  }

  /** Makes the draft by which what is signed leaves again, and opens it. */
  async function resume(): Promise<void> {
    try {
      expected = (await client.resume()).draft
      await refresh()
    } catch (error) {
      say(wordsOf(toRefusal(error)), 'bad')
    }
  }

  async function passkeyFor(draft: CheckedDraft): Promise<Approval> {
    const { options } = await client.passkeyOptions(draft.id, draft.hash)
    return { passkey: await usePasskey(options, draft.challenge) }
  }

  function decided(id: string, { state, hold_until: holdUntil }: { state: 'held' | 'denied'; hold_until: string | null }): true {
    dispatch({ type: 'decided', id, state, holdUntil, now: now() })
    return true
  }

  function goOn(id: string): void {
    const next = nextWaiting(store.get(), id)
    if (next === undefined) return
    if (store.get().cursor === id) dispatch({ type: 'pointed', id: next, byItself: true })
  }

  /** Exactly these, each by the hash of its own document, which is fetched and checked now. One that fails stops no other. */
  async function approveTogether(drafts: readonly DraftSummary[], times: readonly (string | null)[] = []): Promise<void> {
    dispatch({ type: 'overlay', overlay: undefined })
    let signed = 0
    for (const [index, row] of drafts.entries()) {
      const done = await act(row.id, 'signing', async () => {
        const check = await fetchChecked(row.id)
        if (!check.ok) throw new Error(`It cannot be signed: ${check.problem}.`)
        if (!agrees(row, check.draft)) throw new Error('It is not what its row in the list said; open it and look.')
        if (takesPasskey(check.draft.document)) throw new Error('It takes the passkey, by itself.')
        return signAt(check.draft, times[index] ?? check.draft.document.not_before)
      })
      if (done) signed += 1
    }
    dispatch({ type: 'unselected' })
    say(signed === drafts.length ? `${signed} approved, each by its own hash.` : `${signed} of ${drafts.length} approved; the others say why not.`, signed === drafts.length ? 'good' : 'bad')
  }

  async function deny(id: string, reason: string): Promise<void> {
    dispatch({ type: 'overlay', overlay: undefined })
    const deciding = act(id, 'rejecting', async () => decided(id, await client.deny(id, reason)))
    if (isDoing(id)) goOn(id)
    await deciding
  }

  async function snooze(id: string, until: Date | null): Promise<void> {
    dispatch({ type: 'overlay', overlay: undefined })
    const done = await act(id, 'snoozing', async () => {
      await client.snooze(id, until?.toISOString() ?? null)
      return true
    })
    if (!done) return
    if (until) dispatch({ type: 'reading', reading: false })
    await refresh()
  }

  async function undo(id: string | undefined = undoable(store.get())?.id): Promise<void> {
    if (id === undefined) return say('Nothing is held: there is nothing to take back.')
    const { cursor } = store.get()
    const undone = await act(id, 'undoing', () => client.undo(id))
    if (!undone) return
    say('Taken back. It waits again, under a new number.', 'good')
    // whoever has gone on meanwhile is not called back
    if (store.get().cursor === cursor) expected = undone.draft
    await refresh()
  }

  /** True when the new draft stands; its text is shown again, with what changed. */
  async function edit(id: string, hash: string, edited: { recipients: Recipients; subject: string; text: string }): Promise<Refusal | undefined> {
    if (!store.get().online) return toRefusal(new Error('Offline: nothing was saved.'))
    dispatch({ type: 'act', id, act: { doing: 'saving' } })
    try {
      const { id: fresh } = await client.edit(id, hash, edited)
      dispatch({ type: 'act', id, act: undefined })
      expected = fresh
      dispatch({ type: 'editing', editing: false })
      await refresh()
      say('Saved as a new draft. It is not signed: look at it, then approve.', 'good')
      return undefined
    } catch (error) {
      const problem = toRefusal(error)
      dispatch({ type: 'act', id, act: undefined })
      if (problem.code === 'draft.changed' || problem.code === 'draft.too_late') fail(id, problem)
      return problem
    }
  }

  async function resolve(id: string, outcome: 'released' | 'failed', reason: string): Promise<void> {
    const done = await act(id, 'resolving', async () => {
      await client.resolve(id, outcome, reason)
      return true
    })
    if (done) await refresh()
  }

  return { store, notice, dispatch, say, now, refresh, open, openAhead, approve, approveAt, approveTogether, resume, batch: () => batchOf(store.get()), deny, snooze, undo, edit, resolve, obstacle }
}

/** Was the draft fetched as it stands in the list? Its bytes stay, but what happened to it goes on. */
function isStillAs(listed: DraftSummary | undefined, { check }: Extract<Opened, { at: 'ready' }>): boolean {
  const fetched = check.ok ? check.draft.detail : check.detail
  return listed === undefined || listed.state === fetched.state
}

export type TriageVerbs = ReturnType<typeof createTriage>

function wordsOf({ code, message, details }: Refusal): string {
  if (code === 'draft.changed') return 'It changed after it was shown. Nothing was signed; here is what it is now.'
  if (code === 'draft.too_late') return `Too late: it is ${String(details['was'] ?? 'decided')} already.`
  if (code === 'offline') return 'The releaser did not answer: whether the decision arrived is not known. It is looked up as soon as there is a connection; nothing is sent again.'
  return message
}
