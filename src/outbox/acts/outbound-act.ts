import { isCanonical } from '../canonical.ts'
import { calendarShape, wordsOfCalendar, type CalendarAct } from './calendar-act.ts'
import { filesShape, wordsOfFiles, type FilesAct } from './files-act.ts'
import { telegramMessageShape, wordsOfTelegramMessage, type TelegramMessageAct } from './message-act.ts'
import { orderShape, wordsOfOrder, type OrderAct } from './order-act.ts'
import { pullOpenShape, wordsOfPullOpen, type PullOpenAct } from './pull-act.ts'
import { socialPostShape, wordsOfSocialPost, type SocialPostAct } from './post-act.ts'
import { newsletterShape, wordsOfNewsletter, type NewsletterAct } from './newsletter-act.ts'
import { gitPushShape, wordsOfGitPush, type GitPushAct } from './push-act.ts'
import { resumeShape, wordsOfResume, type OutboxResumeAct } from './resume-act.ts'
import { requestShape, wordsOfRequest, type HttpRequestAct, type WebhookAct } from './request-act.ts'
import { fits, type Shape } from './shape.ts'
import { shellShape, wordsOfShell, type ShellAct } from './shell-act.ts'

/**
 * Acts whose bytes are canonical JSON that says all of what will be done. This folder reads and words them with nothing but
 * the language, so that the releaser, the terminal and the page on which they are signed say the same of the same bytes.
 */
export type OutboundAct = WebhookAct | HttpRequestAct | TelegramMessageAct | FilesAct | GitPushAct | PullOpenAct | ShellAct | SocialPostAct | CalendarAct | NewsletterAct | OrderAct | OutboxResumeAct

export const actVersion = 'castellan-act/1'

/** What stands in every act: the draft that it was frozen for, and the account of the connector. */
export interface ActFrame {
  readonly version: string
  readonly draft: string
  readonly account: string
}

const frameFields = { version: 'string', draft: 'string', account: 'string', kind: 'string' } as const

interface Form<A> {
  readonly shape: Readonly<Record<string, Shape>>
  words(act: A): string
}

const forms: { readonly [K in OutboundAct['kind']]: Form<OutboundAct & { readonly kind: K }> } = {
  webhook: { shape: requestShape, words: wordsOfRequest },
  'http.request': { shape: requestShape, words: wordsOfRequest },
  'telegram.message': { shape: telegramMessageShape, words: wordsOfTelegramMessage },
  'files.delete': { shape: filesShape, words: wordsOfFiles },
  'files.move': { shape: filesShape, words: wordsOfFiles },
  'git.push': { shape: gitPushShape, words: wordsOfGitPush },
  'shell.act': { shape: shellShape, words: wordsOfShell },
  'pull.open': { shape: pullOpenShape, words: wordsOfPullOpen },
  'order.stand': { shape: orderShape, words: wordsOfOrder },
  'social.post': { shape: socialPostShape, words: wordsOfSocialPost },
  'newsletter.send': { shape: newsletterShape, words: wordsOfNewsletter },
  'calendar.create': { shape: calendarShape, words: wordsOfCalendar },
  'calendar.change': { shape: calendarShape, words: wordsOfCalendar },
  'calendar.delete': { shape: calendarShape, words: wordsOfCalendar },
  'outbox.resume': { shape: resumeShape, words: wordsOfResume },
}

export function isOutboundKind(kind: string): kind is OutboundAct['kind'] {
  return Object.hasOwn(forms, kind)
}

/** Is its text a list of paths? What looks like an address in it is the name of a file. */
export function isAboutPaths(kind: string): boolean {
  return kind.startsWith('files.') || kind.startsWith('git.') || kind.startsWith('shell.')
}

/** The act that these bytes say. Nothing when they say none, or more than it, or the same in another form. */
export function readOutboundAct(bytes: Uint8Array): OutboundAct | undefined {
  let act: OutboundAct
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    act = JSON.parse(text) as OutboundAct
  } catch {
    return undefined
  }
  if (typeof act !== 'object' || act === null || act.version !== actVersion || typeof act.kind !== 'string' || !isOutboundKind(act.kind)) return undefined
  return fits(act, { fields: { ...frameFields, ...forms[act.kind].shape } }) && isCanonical(act, text) ? act : undefined
}

/** What will be done, in words, all of it. */
export function wordsOfAct(act: OutboundAct): string {
  return (forms[act.kind] as Form<OutboundAct>).words(act)
}
