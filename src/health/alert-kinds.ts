/** The kinds of alerts in words. When one opens, and who may report it, is in the table `alert_rule`. */
interface AlertWords {
  /** What it means, for a list. */
  readonly summary: string
  what(subject: string): string
  /** What the operator does now. */
  readonly mend: string
}

const kinds = {
  'signin.failed': {
    summary: 'more than five failed sign-ins within five minutes',
    what: (subject) => `sign-ins failed again and again: ${subject}`,
    mend: 'if it was not you, look for the program: castellan session list, castellan operator list and castellan key list show who is let in; revoke what is not yours',
  },
  'page.stranger': {
    summary: 'a page elsewhere asked a port of this house',
    what: (subject) => `a page or program that is not of this house asked under another name or origin: ${subject}`,
    mend: 'nothing was answered; close the pages that you do not know, and look at the extensions of your browser',
  },
  'database.refused': {
    summary: 'PostgreSQL refused a role what it may not',
    what: (subject) => `PostgreSQL refused the role ${subject} something that its process never asks for`,
    mend: 'the process of that role may be taken over: castellan down, look at its log in the home, install anew from a source that you trust, then castellan up',
  },
  'command.refused': {
    summary: 'a command that the policy of the shell refuses, or that the sandbox stopped',
    what: (subject) => `a command was tried that may not be run: ${subject}`,
    mend: 'castellan run list shows the run, castellan run show ID the command; if the job does not ask for it, a text that it read did: castellan job pause JOB',
  },
  'sandbox.unsafe': {
    summary: 'the canary got out of the sandbox, or there is none',
    what: (subject) => `no command is run, because the sandbox does not hold or bubblewrap is missing: ${subject}`,
    mend: 'castellan doctor says why; install bubblewrap, or allow unprivileged user namespaces, then castellan down and castellan up',
  },
  'injection.stopped': {
    summary: 'a proposal that cannot be what it says was refused',
    what: (subject) => `an act that was proposed for ${subject} was refused before you could sign it`,
    mend: 'castellan run list shows whose it was; look at the text that the run had read, and warn who sent it if you know him',
  },
  'outbound.unexpected': {
    summary: 'something led elsewhere than was signed or declared',
    what: (subject) => `the other side led elsewhere than was signed or declared, and was not followed: ${subject}`,
    mend: 'nothing went there; castellan draft list or castellan model list shows whom it was meant for. Ask there whether they moved, and only then correct the address in castellan.yaml',
  },
  'label.refused': {
    summary: 'more than five calls above what a model may see within five minutes',
    what: (subject) => `calls with a label above what a model may see were refused: ${subject}`,
    mend: 'castellan audit show names run or key; if it should be allowed: castellan lane clear, otherwise castellan key revoke NAME or castellan job pause JOB',
  },
  'signature.failed': {
    summary: 'a draft whose signature, row or document is not as it was signed',
    what: (subject) => `a signature did not hold: ${subject}`,
    mend: 'nothing was sent; castellan audit verify, castellan operator list, and revoke the key if you did not just try it yourself: castellan operator revoke ID',
  },
  'nonce.replayed': {
    summary: 'something that was released before came again',
    what: (subject) => `an act that was released before came once more, and was stopped: ${subject}`,
    mend: 'if you have just restored a database, it is that; otherwise castellan audit verify, and look who can write to the database',
  },
  'nonces.lost': {
    summary: 'the file of spent nonces is missing or older than the database',
    what: () => 'the file of spent nonces was missing or older than the database: what was in flight is unknown',
    mend: 'castellan draft list shows drafts whose state is unknown; look whether they arrived, and say so with castellan draft resolve ID',
  },
  'audit.broken': {
    summary: 'the chain of the audit does not verify, or cannot be sealed',
    what: (subject) => `the record of what happened is not whole: ${subject}`,
    mend: 'castellan audit verify names the first batch that is wrong; keep the database as it is, and restore the last backup before it',
  },
  'webhook.forged': {
    summary: 'more than five deliveries without a good signature within five minutes',
    what: (subject) => `deliveries were not signed as they must be: webhook ${subject}`,
    mend: 'nothing was taken in; castellan webhook list shows how many. If the sender changed its secret, put the new one beside the old one; otherwise close the path in your proxy',
  },
  'process.crashing': {
    summary: 'a process died more than once within five minutes',
    what: (subject) => `a process dies again and again: ${subject}`,
    mend: 'castellan status says how, its log in the home why; castellan doctor looks for the usual causes',
  },
  'process.down': {
    summary: 'a process died too often and was given up',
    what: (subject) => `a process died too often and was given up: ${subject}`,
    mend: 'castellan status says how, its log in the home why; when that is mended: castellan down, castellan up',
  },
  'isolation.demonstration': {
    summary: 'the processes share one user: a demonstration',
    what: () => 'the processes share one user, so that any program of yours can read what they hold',
    mend: 'start Castellan as root, or install it as services; castellan doctor says what this machine lacks',
  },
} as const satisfies Record<string, AlertWords>

export type AlertKind = keyof typeof kinds

/** What there is, for the recipe. */
export const alertKinds = Object.entries(kinds).map(([kind, { summary }]) => ({ kind, summary }))

/** What an alert says and what to do; a kind of a newer schema has its name only. */
export function wordsOf(kind: string, subject: string): { readonly what: string; readonly mend: string } {
  const words: AlertWords | undefined = Object.hasOwn(kinds, kind) ? kinds[kind as AlertKind] : undefined
  if (words === undefined) return { what: `${kind}: ${subject}`, mend: 'castellan audit show says more' }
  return { what: words.what(subject), mend: words.mend }
}
