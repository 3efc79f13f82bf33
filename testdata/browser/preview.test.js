// The preview page: of the mails of a sandbox run, and of mails that mean harm.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import { accessible, Browser, fits, known, quiet, screens, seen, show } from './browser.js'

const pages = known('PAGES')
const path = (name) => join(pages, `${name}.html`)

// The frames of mails run no scripts, axe-core's included; the mails are looked at by themselves.
const pageOnly = { iframes: false }

// grounds are the backgrounds of the mails.
const grounds = { light: 'rgb(241, 243, 244)', dark: 'rgb(18, 18, 18)' }

// unfold opens everything that can be opened, so that it is looked at too.
const unfold = (page) => page.evaluate(() => document.querySelectorAll('details').forEach((details) => (details.open = true)))

// mail is the section of the mail with that subject, opened.
async function mail(page, subject) {
  const section = page.locator('details.mail', { has: page.locator('h2', { hasText: subject }) }).first()
  await section.evaluate((details) => (details.open = true))
  return section
}

// framed is what is in the frame of a mail.
async function framed(section) {
  const element = await section.locator('iframe').elementHandle()
  const frame = await element.contentFrame()
  await frame.waitForSelector('body > *', { state: 'attached' }) // a frame that is told to load what it may not never ends loading
  return frame
}

describe('preview', { concurrency: 2 }, () => {
  let browser
  before(async () => {
    browser = await Browser.open()
  })
  after(() => browser.close())

  for (const screen of screens) {
    describe(`${screen.scheme}, ${screen.width} px`, { concurrency: 1 }, () => {
      let page
      before(async () => {
        page = await browser.page(screen)
      })
      after(() => page.context().close())

      test('as it opens', async () => {
        await show(page, path('preview'))
        const text = await seen(page)
        for (const want of ['Mail preview', 'Board meeting', 'Company offsite', 'ada@example.com', 'In the calendar', 'Findings']) {
          assert.ok(text.includes(want), `${want} is not visible in: ${text}`)
        }
        await fits(page)
        quiet(browser, page)
      })

      test('with everything open', async () => {
        await show(page, path('preview'))
        await unfold(page)
        const text = await seen(page)
        for (const want of [
          'Thursday, 29 April 2027, 05:30 – 06:00', 'America/New_York, UTC-04:00', // the reader's hour
          'Thursday, 29 April 2027, 10:30 – 11:00', 'Europe/London, UTC+01:00', // the event's
          'Monday, 14 June 2027 – Wednesday, 16 June 2027, 3 days', 'Zoë Müller', 'multipart/alternative', 'quoted-printable',
          'Auto-Submitted', 'BEGIN:VCALENDAR', 'Why Outlook', 'Source RFC', 'Cancelled',
        ]) {
          assert.ok(text.includes(want), `${want} is not visible`)
        }
        await fits(page)
        await accessible(page, pageOnly)
        quiet(browser, page)
      })

      test('the mail in its frame', async () => {
        await show(page, path('preview'))
        const section = await mail(page, 'Invitation: Board meeting')
        const frame = await framed(section)
        const text = await seen(frame)
        assert.ok(text.includes('Board meeting') && text.includes('Board room'), text)
        const ground = await frame.evaluate(() => getComputedStyle(document.body).backgroundColor)
        assert.equal(ground, grounds[screen.scheme])
        quiet(browser, page)
      })

      test('no mails', async () => {
        await show(page, path('empty'))
        assert.match(await seen(page), /There are no mails/)
        await fits(page)
        await accessible(page, pageOnly)
      })
    })
  }

  test('the reader’s screen can be chosen', async () => {
    const page = await browser.page({ width: 1280 })
    await show(page, path('preview'))
    const section = await mail(page, 'Invitation: Board meeting')
    const frame = await framed(section)
    for (const [scheme, choice] of [['light', 'As here'], ['dark', 'Dark'], ['light', 'Light'], ['dark', 'Dark'], ['light', 'As here']]) {
      await section.getByRole('radio', { name: choice }).check()
      await frame.waitForFunction((ground) => getComputedStyle(document.body).backgroundColor === ground, grounds[scheme])
    }
    await page.context().close()
  })

  describe('by keyboard', { concurrency: 1 }, () => {
    let page
    before(async () => {
      page = await browser.page({ scheme: 'light', width: 1280 })
      await show(page, path('preview'))
    })
    after(() => page.context().close())
    const focused = () =>
      page.evaluate(() => {
        const { tagName, className, innerText } = document.activeElement
        return `${tagName} ${className} ${innerText ?? ''}`.trim()
      })

    test('a link leads past the heading', async () => {
      await page.keyboard.press('Tab')
      assert.match(await focused(), /^A skip/)
      const box = await page.locator('.skip').boundingBox()
      assert.ok(box.y >= 0, 'the link is visible while it has the focus')
      await page.keyboard.press('Enter')
      await page.keyboard.press('Tab')
      assert.match(await focused(), /^SUMMARY/)
    })

    test('what has the focus is seen to have it', async () => {
      const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle)
      assert.equal(outline, 'solid')
    })

    test('a mail opens and closes', async () => {
      const open = () => page.evaluate(() => document.activeElement.parentElement.open)
      assert.equal(await open(), true)
      await page.keyboard.press('Enter')
      assert.equal(await open(), false)
      await page.keyboard.press('Enter')
      assert.equal(await open(), true)
    })

    test('arrows choose wide, phone or text', async () => {
      const frame = page.locator('details.mail iframe').first()
      const text = page.locator('details.mail pre.text').first()
      const width = async () => (await frame.boundingBox()).width
      await page.keyboard.press('Tab')
      assert.match(await focused(), /^INPUT to-wide/)
      assert.ok((await width()) > 600)
      await page.keyboard.press('ArrowRight')
      assert.match(await focused(), /^INPUT to-phone/)
      assert.equal(await width(), 360, 'the width of a phone')
      await page.keyboard.press('ArrowRight')
      assert.match(await focused(), /^INPUT to-text/)
      assert.equal(await frame.isVisible(), false)
      assert.equal(await text.isVisible(), true)
      await accessible(page, pageOnly)
    })
  })

  describe('mails that mean harm', { concurrency: 1 }, () => {
    let page
    beforeEach(async () => {
      page = await browser.page({ scheme: 'light', width: 1280 })
      await show(page, path('hostile'), 'domcontentloaded')
    })
    afterEach(async () => {
      await browser.settled()
      assert.equal(await page.evaluate(() => globalThis.pwned), undefined, 'no script ran')
      quiet(browser, page)
      await page.context().close()
    })

    test('run nothing, and leave the page as it is', async () => {
      const mails = page.locator('main > details.mail')
      const n = await mails.count()
      assert.ok(n >= 9)
      await unfold(page)
      for (let i = 0; i < n; i++) await framed(mails.nth(i))
      assert.equal(page.frames().length, n + 1, 'a frame for each mail, and none in them')
      assert.equal(await page.locator('main > :not(details.mail)').count(), 0)
      assert.equal(await page.locator('script, img, form, object, embed, base, link').count(), 0)
      await accessible(page, pageOnly)
    })

    for (const id of ['away', 'top', 'new', 'script', 'send']) {
      test(`lead nowhere: ${id}`, async () => {
        const frame = await framed(await mail(page, '<p>links</p>'))
        await frame.locator(`#${id}`).click({ noWaitAfter: true })
        await browser.settled()
        assert.match(page.url(), /^file:.*hostile\.html$/)
        assert.equal(page.context().pages().length, 1)
      })
    }
  })
})
