// The browser that the tests look through, and what is asked of every page.

import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import net from 'node:net'
import { pathToFileURL } from 'node:url'
import { chromium } from 'playwright-core'

const axe = createRequire(import.meta.url)('axe-core').source

// screens are what readers have.
export const screens = ['light', 'dark'].flatMap((scheme) => [360, 1280].map((width) => ({ scheme, width })))

// known is the setting of that name; run makes them.
export function known(name) {
  assert.ok(process.env[name], `${name} is not set: start these tests with testdata/browser/run`)
  return process.env[name]
}

// ownAffairs are requests that Chromium makes for itself, in spite of its flags: for updates, the time, an account.
const ownAffairs = /^\w+ (http:\/\/)?([\w-]+\.)*(google|googleapis|gstatic|gvt1)\.com[:/]/

// Browser is a Chromium whose every way to a network ends at a proxy of ours, which counts who comes and answers nobody.
export class Browser {
  static async open() {
    const browser = new Browser()
    browser.connections = []
    browser.proxy = net.createServer((socket) => {
      socket.once('data', (data) => {
        const [request] = data.toString('latin1').split('\r\n')
        if (!ownAffairs.test(request)) browser.connections.push(request)
      })
      socket.on('error', () => {})
      setTimeout(() => socket.destroy(), 50)
    })
    await new Promise((resolve) => browser.proxy.listen(0, '127.0.0.1', resolve))
    browser.chromium = await chromium.launch({
      executablePath: known('CHROMIUM'),
      args: [
        '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
        '--disable-component-update', '--disable-sync', '--disable-default-apps', '--disable-domain-reliability',
        `--proxy-server=http://127.0.0.1:${browser.proxy.address().port}`, '--proxy-bypass-list=<-loopback>',
      ],
    })
    return browser
  }

  // settled waits until a request that is made now has come to the proxy. Whatever a page asked for before has come by then, too.
  async settled() {
    const page = await this.page({ width: 360 })
    await page.goto('http://loud.example/').catch(() => {}) // nobody answers
    await page.context().close()
    const others = this.connections.filter((request) => !request.includes('loud.example'))
    assert.notEqual(others.length, this.connections.length, 'connections are seen at all')
    this.connections = others
  }

  async close() {
    await this.chromium.close()
    await new Promise((resolve) => this.proxy.close(resolve))
  }

  // page opens a page as a reader with that screen does, and notes what it asks for. Without a scheme it is light, and frames may differ.
  async page({ scheme, width }) {
    const context = await this.chromium.newContext({ colorScheme: scheme ?? null, viewport: { width, height: 900 } })
    context.setDefaultTimeout(60_000)
    const page = await context.newPage()
    page.asked = []
    page.said = []
    page.on('request', (request) => page.asked.push(request.url()))
    page.on('requestfailed', (request) => {
      // The page's policy held it back before it was sent; the proxy has not seen it.
      if (['csp', 'origin'].includes(request.failure().errorText)) page.asked = page.asked.filter((url) => url !== request.url())
    })
    page.on('websocket', (socket) => page.asked.push(socket.url()))
    page.on('popup', (popup) => page.asked.push(popup.url()))
    page.on('dialog', (dialog) => {
      page.said.push(dialog.message())
      dialog.dismiss()
    })
    return page
  }
}

export async function show(page, path, waitUntil = 'load') {
  page.asked = []
  await page.goto(pathToFileURL(path).href, { waitUntil })
}

// quiet asserts that nothing was asked of a network, and that nothing opened a window.
export function quiet(browser, page) {
  const away = page.asked.filter((url) => !/^(file|about|data):/.test(url))
  assert.deepEqual(away, [], 'requests that leave the machine')
  assert.ok(page.asked.some((url) => url.startsWith('file:')), 'requests are seen at all')
  assert.deepEqual(page.said, [], 'dialogs')
  assert.deepEqual(browser.connections, [], 'connections to a network')
}

// accessible asserts that axe-core finds nothing to complain about.
export async function accessible(page, options = {}) {
  await page.evaluate(axe)
  const { violations, passes } = await page.evaluate((options) => globalThis.axe.run(document, { resultTypes: ['violations'], ...options }), options)
  const told = violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${help}\n  ${html}\n  ${failureSummary.replaceAll('\n', '\n  ')}`),
  )
  assert.equal(told.join('\n'), '', 'violations')
  assert.ok(passes.length > 5, 'rules were applied')
}

// fits asserts that nobody has to scroll to the side.
export async function fits(page) {
  const [wide, room] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth])
  assert.ok(wide <= room, `the page is ${wide} pixels wide where there are ${room}`)
}

// seen is the text that is visible, white space made one space and marks of direction left out.
export async function seen(frame) {
  const text = await frame.evaluate(() => document.body.innerText)
  return text.replace(/[\u200e\u200f\u2066-\u2069]/g, '').replace(/\s+/g, ' ')
}
