import { existsSync } from 'node:fs'
import type { TestContext } from 'node:test'
import { chromium, type Browser, type CDPSession, type Page } from 'playwright-core'

export const chromiumPath = process.env.CASTELLAN_CHROMIUM ?? '/usr/bin/chromium'

/** Nothing of a browser that asks for the outside world; root in a container has no sandbox to give. */
const flags = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync',
]

/** The reason to skip a test that needs a real browser, or false: `test('…', { skip: withoutChromium }, …)`. */
export const withoutChromium: string | false = existsSync(chromiumPath) ? false : `needs Chromium at ${chromiumPath} (CASTELLAN_CHROMIUM names another)`

export interface OpenBrowserOptions {
  /** Further flags, e.g. `--host-resolver-rules=MAP evil.example 127.0.0.1`. */
  readonly args?: readonly string[]
}

/** A real Chromium for one test, closed after it; skips the test with the reason where there is none. */
export async function openBrowser(t: TestContext, { args = [] }: OpenBrowserOptions = {}): Promise<Browser | undefined> {
  if (withoutChromium) {
    t.skip(withoutChromium)
    return undefined
  }
  const browser = await launchChromium(args)
  t.after(() => browser.close())
  return browser
}

/** For whoever is no test, and closes it himself. */
export function launchChromium(args: readonly string[] = []): Promise<Browser> {
  return chromium.launch({ executablePath: chromiumPath, args: [...flags, ...args] })
}

export interface PasskeyDevice {
  /** Does the device say that its owner showed himself? */
  verifyUser(verified: boolean): Promise<void>
  /** What it holds: ids and counters. */
  credentials(): Promise<{ credentialId: string; rpId?: string; signCount: number }[]>
  remove(): Promise<void>
}

/** Plugs a device with passkeys into a page: touch and fingerprint are given at once. */
export async function addPasskeyDevice(page: Page): Promise<PasskeyDevice> {
  const devtools: CDPSession = await page.context().newCDPSession(page)
  await devtools.send('WebAuthn.enable')
  const { authenticatorId } = await devtools.send('WebAuthn.addVirtualAuthenticator', {
    options: { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true },
  })
  return {
    verifyUser: async (isUserVerified) => void (await devtools.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified })),
    credentials: async () => (await devtools.send('WebAuthn.getCredentials', { authenticatorId })).credentials,
    remove: async () => void (await devtools.send('WebAuthn.removeVirtualAuthenticator', { authenticatorId })),
  }
}
