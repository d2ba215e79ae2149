import type { AuthenticationResponseJSON, PublicKeyCredentialCreationOptionsJSON, PublicKeyCredentialRequestOptionsJSON, RegistrationResponseJSON } from '@simplewebauthn/browser'
import type { Decided, DraftDetail, DraftState, DraftSummary, House, OutboxState, Recipients, SessionAnswer } from './answers.ts'
import { call, Refusal, type Request } from './call.ts'

type Options<T> = { readonly options: T }

/** What may be asked without a session. */
export const door = {
  house: () => call<House>({ path: '/state' }),
  enrolOptions: (code: string, name: string) =>
    call<Options<PublicKeyCredentialCreationOptionsJSON>>({ method: 'POST', path: '/enrol/options', body: { code, name } }),
  enrol: (code: string, name: string, response: RegistrationResponseJSON) =>
    call<{ key_id: string; name: string }>({ method: 'POST', path: '/enrol', body: { code, name, response } }),
  sessionOptions: (publicKey: string) =>
    call<Options<PublicKeyCredentialRequestOptionsJSON> & { session: string }>({ method: 'POST', path: '/session/options', body: { public_key: publicKey } }),
  openSession: (session: string, response: AuthenticationResponseJSON) =>
    call<SessionAnswer>({ method: 'POST', path: '/session', body: { session, response } }),
  resumeChallenge: (keyId: string) => call<{ challenge: string }>({ method: 'POST', path: '/session/challenge', body: { key_id: keyId } }),
  resume: (keyId: string, challenge: string, signature: string) =>
    call<SessionAnswer>({ method: 'POST', path: '/session/resume', body: { key_id: keyId, challenge, signature } }),
}

export type Door = typeof door

export type Approval = { readonly key_id: string; readonly signature: string } | { readonly passkey: AuthenticationResponseJSON }

export interface ClientDeps {
  token(): string | undefined
  /** A token is gone when the releaser was started anew; the session key brings another. False: the session is over. */
  renew(): Promise<boolean>
}

/** Everything that takes a session. */
export function createClient({ token, renew }: ClientDeps) {
  async function ask<T>(request: Omit<Request, 'token'>): Promise<T> {
    try {
      return await call<T>({ ...request, token: token() })
    } catch (error) {
      const ended = error instanceof Refusal && (error.code === 'session.missing' || error.code === 'session.over')
      // refused before anything was looked at, so asking again does nothing twice
      if (!ended || !(await renew())) throw error
      return call<T>({ ...request, token: token() })
    }
  }
  const post = <T>(path: string, body: unknown) => ask<T>({ method: 'POST', path, body })
  return {
    list: (states: readonly DraftState[], limit: number) => ask<DraftSummary[]>({ path: `/drafts?state=${states.join(',')}&limit=${limit}&snoozed=true` }),
    draft: (id: string) => ask<DraftDetail>({ path: `/drafts/${id}` }),
    changes: (after: number, signal: AbortSignal) => ask<{ version: number }>({ path: `/changes?after=${after}`, signal, patience: 40_000 }),
    passkeyOptions: (id: string, challenge: string) => post<Options<PublicKeyCredentialRequestOptionsJSON>>(`/drafts/${id}/passkey`, { challenge }),
    approve: (id: string, challenge: string, approval: Approval) => post<Decided>(`/drafts/${id}/decide`, { verdict: 'approve', challenge, ...approval }),
    deny: (id: string, reason: string) => post<Decided>(`/drafts/${id}/decide`, { verdict: 'deny', reason }),
    edit: (id: string, challenge: string, edited: { recipients: Recipients; subject: string; text: string }) =>
      post<DraftDetail>(`/drafts/${id}/edit`, { challenge, ...edited }),
    schedule: (id: string, challenge: string, notBefore: string | null) => post<DraftDetail>(`/drafts/${id}/schedule`, { challenge, not_before: notBefore }),
    outbox: () => ask<OutboxState>({ path: '/outbox' }),
    resume: () => post<{ draft: string }>('/outbox/resume', {}),
    snooze: (id: string, until: string | null) => post<unknown>(`/drafts/${id}/snooze`, { until }),
    undo: (id: string) => post<{ outcome: 'undone'; draft: string }>(`/drafts/${id}/undo`, {}),
    resolve: (id: string, outcome: 'released' | 'failed', reason: string) => post<unknown>(`/drafts/${id}/resolve`, { outcome, reason }),
    endSession: () => call<unknown>({ method: 'DELETE', path: '/session', token: token() }),
  }
}

export type Client = ReturnType<typeof createClient>
