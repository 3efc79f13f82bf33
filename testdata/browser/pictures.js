// Takes the pictures of the README: node pictures.js DIR, started by run --pictures DIR.

import { join } from 'node:path'
import { Browser, known, show } from './browser.js'

const dir = process.argv[2]
const browser = await Browser.open()
try {
  const mail = await browser.page({ scheme: 'light', width: 660 })
  await mail.setViewportSize({ width: 660, height: 560 })
  await show(mail, join(known('MAILS'), 'en', 'update.html'))
  await mail.screenshot({ path: join(dir, 'mail.png'), fullPage: true })

  const preview = await browser.page({ width: 1040 })
  await preview.setViewportSize({ width: 1040, height: 900 })
  await show(preview, join(known('PAGES'), 'preview.html'))
  await preview.screenshot({ path: join(dir, 'preview.png') })
} finally {
  await browser.close()
}
