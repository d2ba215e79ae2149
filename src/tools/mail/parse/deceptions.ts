import { domainToASCII, domainToUnicode } from 'node:url'
import type { Address } from '../mailbox.ts'

const alphabets: readonly (readonly [string, RegExp])[] = [
  ['Latin', /\p{Script=Latin}/u],
  ['Cyrillic', /\p{Script=Cyrillic}/u],
  ['Greek', /\p{Script=Greek}/u],
  ['Armenian', /\p{Script=Armenian}/u],
  ['Cherokee', /\p{Script=Cherokee}/u],
]
/** Letters of other alphabets that look like a Latin one (a part of Unicode TR 39's confusables). */
const lookalikes: Readonly<Record<string, string>> = {
  а: 'a', с: 'c', ԁ: 'd', е: 'e', һ: 'h', і: 'i', ј: 'j', ӏ: 'l', о: 'o', р: 'p', ԛ: 'q', ѕ: 's', у: 'y', ѵ: 'v', ԝ: 'w', х: 'x', ь: 'b', к: 'k', м: 'm', т: 't', п: 'n',
  α: 'a', ο: 'o', ρ: 'p', ν: 'v', υ: 'u', ι: 'i', κ: 'k', τ: 't', ɡ: 'g', ı: 'i', ɑ: 'a', օ: 'o', ո: 'n', ս: 'u',
}
const direction = /[\u202a-\u202e\u2066-\u2069\u200b-\u200f\u2060\ufeff]/u
const addressInName = /[^\s<>"'(),;:@]{1,64}@[^\s<>"'(),;:@]{1,100}\.[^\s<>"'(),;:@.]{2,20}/u

/** Signs of deception in the head of a message, each a sentence for the operator. */
export function deceptions(head: { from: Address; replyTo: readonly Address[]; to: readonly Address[]; subject: string }): string[] {
  const { from, replyTo, to, subject } = head
  const own = domainOf(from.address)
  const warnings: string[] = []
  if (own === '') warnings.push('it names no sender address')
  const shown = addressInName.exec(from.name)?.[0]
  if (shown !== undefined && shown.toLowerCase() !== from.address.toLowerCase()) {
    warnings.push(`the display name shows another address (${shown}) than the sender's (${from.address})`)
  }
  for (const domain of new Set([own, ...replyTo.map((address) => domainOf(address.address))])) {
    const imitated = imitation(domain)
    if (imitated !== undefined) warnings.push(imitated)
  }
  const elsewhere = replyTo.find((address) => domainOf(address.address) !== own)
  if (elsewhere && own !== '') warnings.push(`replies go to ${elsewhere.address}, not to the sender ${from.address}`)
  const near = to.map((address) => domainOf(address.address)).find((domain) => domain !== '' && domain !== own && skeleton(domain) === skeleton(own))
  if (near !== undefined) warnings.push(`the sender's domain ${own} looks like ${near}, to which it was sent`)
  if (direction.test(from.name) || direction.test(subject)) warnings.push('the sender or the subject holds invisible characters that change what is shown')
  return warnings
}

/** The domain in ASCII (`xn--…`), so that it shows what it is; empty when there is none. */
export function domainOf(address: string): string {
  const at = address.lastIndexOf('@')
  if (at === -1) return ''
  const domain = address.slice(at + 1).toLowerCase()
  return domainToASCII(domain) || domain
}

function imitation(domain: string): string | undefined {
  const unicode = domainToUnicode(domain) || domain
  for (const label of unicode.split('.')) {
    const used = alphabets.filter(([, letters]) => letters.test(label)).map(([name]) => name)
    if (used.length > 1) return `the domain ${domain} ("${unicode}") mixes the alphabets ${used.join(' and ')}`
    const latin = [...label].map((letter) => lookalikes[letter] ?? letter).join('')
    if (latin !== label && /^[a-z0-9-]+$/.test(latin)) return `the domain ${domain} ("${unicode}") imitates "${latin}" with letters of another alphabet`
  }
  return undefined
}

function skeleton(domain: string): string {
  return [...(domainToUnicode(domain) || domain)]
    .map((letter) => lookalikes[letter] ?? letter).join('')
    .replaceAll('rn', 'm').replaceAll('vv', 'w').replaceAll('cl', 'd').replace(/[1i|]/g, 'l').replaceAll('0', 'o').replaceAll('5', 's')
}
