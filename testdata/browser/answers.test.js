// The pages of serve and of the sandbox, as people use them: a sandbox and a serve run beside each other, an answer is given on one page, and
// it appears on both without loading anything anew.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, describe, test } from 'node:test'
import { chromium } from 'playwright-core'
import { accessible, fits, known, screens, seen } from './browser.js'

const hostile = '<img src=x onerror="document.title=1"><script>document.title=2</script> & "sorry"'

// Process is the command as somebody runs it in a terminal of its own.
class Process {
  constructor(dir, env, ...args) {
    this.child = spawn(known('INVITEMAILER'), args, { cwd: dir, env: { PATH: process.env.PATH, HOME: dir, ...env } })
    this.lines = []
    this.waiting = []
    for (const stream of [this.child.stdout, this.child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        this.lines.push(line)
        this.waiting.forEach((look) => look())
      })
    }
    this.ended = new Promise((resolve) => this.child.on('close', resolve))
  }

  // said is what the first group of the pattern matched, once there is a line that it matches.
  said(pattern) {
    return new Promise((resolve, reject) => {
      const look = () => {
        const match = this.lines.map((line) => line.match(pattern)).find(Boolean)
        if (match) resolve(match[1] ?? match[0])
      }
      this.waiting.push(look)
      look()
      this.ended.then(() => reject(new Error(`nothing matches ${pattern}:\n${this.lines.join('\n')}`)))
    })
  }

  async stop() {
    this.child.kill('SIGTERM')
    return await this.ended
  }
}

describe('answers', () => {
  let dir, sandbox, serve, env, browser, sandboxURL, answersURL

  before(async () => {
    dir = mkdtempSync(join(tmpdir(), 'answers-'))
    sandbox = new Process(dir, {}, 'sandbox', '--api-addr=127.0.0.1:0', '--smtp-addr=127.0.0.1:0', '--page-addr=127.0.0.1:0')
    sandboxURL = await sandbox.said(/url=(http:\S+)/)
    await sandbox.said(/^INVITEMAILER_LEDGER=/) // the last of the environment
    env = Object.fromEntries(sandbox.lines.map((line) => line.match(/^([A-Z_]+)=(.*)$/)).filter(Boolean).map(([, name, value]) => [name, value]))
    serve = new Process(dir, env, 'serve', '--listen=127.0.0.1:0', '--admin=127.0.0.1:0')
    env.INVITEMAILER_CALLBACK_URL = `http://${await serve.said(/server=callback address=(\S+)/)}/cronofy/callback`
    answersURL = `http://${await serve.said(/server=admin address=(\S+)/)}/`
    const invite = (id, who, day) => JSON.stringify({
      smart_invite_id: id, recipient: { email: `${who}@example.org` },
      event: { summary: `Interview ${id}`, start: `2087-04-${day}T09:30:00Z`, end: `2087-04-${day}T10:00:00Z`, tzid: 'Europe/Berlin' },
    })
    writeFileSync(join(dir, 'invites.jsonl'), [invite('second', 'bob', 29), invite('first', 'ann', 28), invite('third', 'eve', 30)].join('\n'))
    const send = new Process(dir, env, 'send', 'invites.jsonl')
    assert.equal(await send.ended, 0, send.lines.join('\n'))
    browser = await chromium.launch({ executablePath: known('CHROMIUM'), args: ['--no-sandbox', '--disable-gpu'] })
  })

  after(async () => {
    await browser?.close()
    assert.equal(await serve?.stop(), 0, 'serve ends cleanly')
    assert.equal(await sandbox?.stop(), 0, 'the sandbox ends cleanly')
    rmSync(dir, { recursive: true })
  })

  // open is a page of a reader with that screen. It notes what is loaded and what the browser complains about.
  async function open(url, { scheme = 'light', width = 1280, ...options } = {}) {
    const context = await browser.newContext({ colorScheme: scheme, viewport: { width, height: 900 }, ...options })
    context.setDefaultTimeout(20_000)
    const page = await context.newPage()
    page.loads = 0
    page.complaints = []
    page.on('load', () => page.loads++)
    page.on('pageerror', (error) => page.complaints.push(String(error)))
    page.on('console', (message) => message.type() === 'error' && page.complaints.push(message.text()))
    page.on('request', (request) => request.url().startsWith(new URL(url).origin) || page.complaints.push(request.url()))
    await page.goto(url)
    return page
  }

  const person = (page, email) => page.locator('.person', { hasText: email })
  const badge = (where, text) => where.locator('.badge', { hasText: text }).first().waitFor()

  test('invites stand in the order of their events, unanswered', async () => {
    const page = await open(answersURL)
    assert.deepEqual(await page.locator('tbody th a').allInnerTexts(), ['Interview first', 'Interview second', 'Interview third'])
    assert.deepEqual(await page.locator('tbody .badge').allInnerTexts(), ['Pending', 'Pending', 'Pending'])
    assert.deepEqual(page.complaints, [])
    await page.context().close()
  })

  test("a button's answer appears on both pages without loading them anew", async () => {
    const answers = await open(answersURL)
    const page = await open(sandboxURL)
    const ann = person(page, 'ann@example.org')
    const accept = ann.getByRole('button', { name: 'Accept' })
    await accept.focus()
    await page.keyboard.press('Enter')
    await badge(ann, 'Accepted')
    assert.equal(await accept.evaluate((button) => button === document.activeElement), true, 'the focus stays where it was')
    await badge(answers.locator('tr', { hasText: 'ann@example.org' }), 'Accepted')
    assert.deepEqual([page.loads, answers.loads], [1, 1])
    assert.deepEqual([page.complaints, answers.complaints], [[], []])
    await serve.said(/^\{"smart_invite_id":"first","recipient":"ann@example.org","before":"pending","status":"accepted"/)
    await page.context().close()
    await answers.context().close()
  })

  test('a comment is text, whatever stands in it', async () => {
    const answers = await open(answersURL)
    const page = await open(sandboxURL)
    const bob = person(page, 'bob@example.org')
    await bob.locator('summary').click()
    await bob.getByLabel('Comment').fill(hostile)
    await bob.getByRole('button', { name: 'Decline' }).click()
    await badge(bob, 'Declined')
    assert.equal(await bob.locator('.comment').innerText(), hostile)
    const row = answers.locator('tr', { hasText: 'bob@example.org' })
    await badge(row, 'Declined')
    assert.equal(await row.locator('.comment').innerText(), hostile)
    assert.deepEqual([await page.title(), await answers.title()], ['Sandbox', 'Invites and answers'])
    assert.deepEqual([page.complaints, answers.complaints], [[], []])
    await page.context().close()
    await answers.context().close()
  })

  test('a proposed new time stands out', async () => {
    const answers = await open(answersURL)
    const page = await open(sandboxURL)
    const eve = person(page, 'eve@example.org')
    await eve.locator('summary').click()
    await eve.getByLabel('New start').fill('2087-05-01T14:00')
    await eve.getByRole('button', { name: 'Propose' }).click()
    await badge(eve, 'Tentative')
    const row = answers.locator('tr', { hasText: 'eve@example.org' })
    const proposal = row.locator('.proposal')
    await proposal.waitFor()
    assert.match(await proposal.innerText(), /New time proposed Thu 1 May 2087, 14:00–14:30 CEST/)
    const ground = (element) => getComputedStyle(element).backgroundColor
    assert.notEqual(await proposal.evaluate(ground), await answers.locator('table').evaluate(ground))
    await page.context().close()
    await answers.context().close()
  })

  test('what cannot be an answer is said, and changes nothing', async () => {
    const page = await open(sandboxURL)
    const ann = person(page, 'ann@example.org')
    await ann.locator('summary').click()
    await ann.getByRole('button', { name: 'Propose' }).click()
    await page.getByRole('alert').filter({ hasText: 'the new start is missing' }).waitFor()
    await badge(ann, 'Accepted')
    await page.context().close()
  })

  test('it filters by status, and shows one invite with its history', async () => {
    const page = await open(answersURL)
    await page.getByRole('link', { name: /^Declined 1$/ }).click()
    await page.waitForURL(/status=declined/)
    assert.deepEqual(await page.locator('tbody th a').allInnerTexts(), ['Interview second'])
    await page.getByRole('link', { name: /^New time proposed 1$/ }).click()
    await page.waitForURL(/status=proposed/)
    await page.getByRole('link', { name: 'Interview third' }).click()
    await page.waitForURL(/invite\?/)
    const text = await seen(page)
    for (const want of ['Interview third', 'Answer of eve@example.org', 'Tentative', 'New time proposed', 'History', 'by callback']) {
      assert.ok(text.includes(want), `${want} is not visible in: ${text}`)
    }
    await page.context().close()
  })

  test('a mail is shown with its preview', async () => {
    const page = await open(sandboxURL)
    await page.locator('#mails').getByRole('link', { name: /Interview first/ }).click()
    await page.waitForURL(/mails\/\d+$/)
    assert.match(await seen(page), /In the calendar/)
    assert.deepEqual(page.complaints, [])
    await page.context().close()
  })

  test('it works without a script', async () => {
    const page = await open(sandboxURL, { javaScriptEnabled: false })
    await person(page, 'ann@example.org').getByRole('button', { name: 'Tentative' }).click()
    await badge(person(page, 'ann@example.org'), 'Tentative')
    assert.equal(page.url(), sandboxURL)
    await page.context().close()
  })

  test('no other page can answer', async () => {
    const context = await browser.newContext()
    const page = await context.newPage()
    await page.goto(`data:text/html,<form method=post action="${sandboxURL}answer"><input name=id value=first><input name=recipient value=ann@example.org><button name=status value=declined>Go</button></form>`)
    const [response] = await Promise.all([page.waitForResponse(/answer$/), page.getByRole('button').click()])
    assert.equal(response.status(), 403)
    await context.close()
    const look = await open(sandboxURL)
    await badge(person(look, 'ann@example.org'), 'Tentative')
    await look.context().close()
  })

  for (const screen of screens) {
    test(`everybody can use them: ${screen.scheme}, ${screen.width} px`, async () => {
      for (const url of [answersURL, `${answersURL}invite?id=third&recipient=eve@example.org`, `${answersURL}invite?id=none&recipient=eve@example.org`, sandboxURL]) {
        const page = await open(url, screen)
        await page.evaluate(() => document.querySelectorAll('details').forEach((details) => (details.open = true)))
        await fits(page)
        await accessible(page)
        await page.context().close()
      }
    })
  }
})
