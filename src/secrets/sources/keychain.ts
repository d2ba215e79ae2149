import { toValue } from '../secret-value.ts'
import type { OpenSource, SourceDeps } from './source.ts'

interface KeychainSource {
  readonly service: string
  readonly account?: string
}

const hints = [
  [/could not be found/i, 'there is no such entry; look at `service` and `account`'],
  [/interaction is not allowed|user interaction/i, 'the keychain is locked, and nobody can be asked here: run `security unlock-keychain`'],
] as const

/** An entry of the keychain of macOS. */
export function openKeychain({ service, account }: KeychainSource, { run }: SourceDeps): OpenSource {
  const place = `keychain entry ${service}${account === undefined ? '' : ` of ${account}`}`
  const whose = account === undefined ? [] : ['-a', account]
  return {
    place,
    read: async () => toValue(await run({ program: 'security', args: ['find-generic-password', '-s', service, ...whose, '-w'], inOurSession: true, hints }), place),
    ...(account === undefined
      ? { instead: 'say whose entry it is with `account`, or change it in Keychain Access' }
      : {
          // -i takes its commands from standard input, so that the value stands in no list of arguments
          write: async (value) => void (await run({ program: 'security', args: ['-i'], input: `add-generic-password -U -s ${quoted(service)} -a ${quoted(account)} -X ${Buffer.from(value).toString('hex')}\n`, inOurSession: true, hints })),
        }),
  }
}

function quoted(word: string): string {
  return `"${word.replaceAll(/["\\]/g, String.raw`\$&`)}"`
}
