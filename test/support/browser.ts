import { type Browser, chromium } from 'playwright-core'
import type { Test } from 'tap'
import { findProgram } from './programs.ts'

/** Where a Chromium is: CHROME_PATH, or the usual names on the PATH; undefined where there is none. */
export const browserPath: string | undefined =
  process.env.CHROME_PATH ?? findProgram('chromium', 'chromium-browser', 'google-chrome')

/** A browser that calls nobody on its own account; it is closed when the test ends. */
export async function openBrowser(t: Test): Promise<Browser> {
  const browser = await chromium.launch({
    ...(browserPath !== undefined && { executablePath: browserPath }),
    headless: true,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-dev-shm-usage',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync'
    ]
  })
  t.teardown(() => browser.close())
  return browser
}
