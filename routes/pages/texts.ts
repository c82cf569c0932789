import type { Language } from '../../src/language.ts'

/** What the pages say. `{minimum}` and `{maximum}` are the lengths between which a password must be. */
export const texts: Record<Language, Record<TextName, string>> = {
  en: {
    verifyTitle: 'Confirm your e-mail address',
    verifyIntro: 'An account was registered with this address. Confirm it only if the account is yours.',
    verifyAccount: 'The account:',
    verifyButton: 'Confirm the address',
    disownButton: 'This was not me',
    disownIntro:
      'If the account is not yours, an unconfirmed account is deleted, and a requested change of address is cancelled.',
    disowned: 'Thank you. That account can no longer use your address. You can close this page.',
    undoTitle: 'Undo the change of your e-mail address',
    undoIntro:
      'This restores the address that received the mail, signs out every device, and sends you a link to set a new password.',
    undoButton: 'Undo the change',
    undone: 'The change was undone. A link to set a new password is on its way to your address: use it now.',
    emailTaken: 'Another account now uses this address.',
    lastAdmin: 'This account cannot be deleted: it is the only administrator. Contact the people who run the service.',
    verified: 'Thank you. Your address is confirmed. You can close this page.',
    resetTitle: 'Set a password',
    resetIntro: 'At least {minimum} characters. Several unrelated words make a good password.',
    resetLabel: 'New password',
    resetShow: 'Show the password',
    resetButton: 'Set the password',
    reset: 'Your password is set, and you were signed out everywhere. Sign in with the new password.',
    unlockTitle: 'Sign in on this device',
    unlockIntro:
      'Someone entered too many wrong passwords for your account, so new devices cannot sign in for now. Unlock this device to sign in here.',
    unlockButton: 'Unlock this device',
    unlocked: 'Done. Go back to where you sign in, and use your password on this device.',
    tooShort: 'The password must have at least {minimum} characters.',
    tooLong: 'The password must have at most {maximum} characters.',
    tooWeak:
      'This password is too easy to guess. Choose one that is not common and does not contain your username or the name in your address.',
    noToken: 'The link is incomplete. Open it from the mail again, or copy all of it.',
    badLink:
      'This link no longer works: it was already used, has expired, or a newer one was sent. Request a new one where you sign in.',
    busy: 'That did not work just now. Please try again in a minute.',
    noScript: 'This page needs JavaScript. Please turn it on, or open the link in another browser.'
  },
  ru: {
    verifyTitle: 'Подтверждение адреса',
    verifyIntro: 'Учётная запись указала этот адрес как свой. Подтвердите его, только если она ваша.',
    verifyAccount: 'Учётная запись:',
    verifyButton: 'Подтвердить адрес',
    disownButton: 'Это не я',
    disownIntro: 'Если учётная запись не ваша: неподтверждённая будет удалена, а запрошенная смена адреса отменена.',
    disowned: 'Спасибо: эта учётная запись не может пользоваться вашим адресом. Эту страницу можно закрыть.',
    undoTitle: 'Отмена смены адреса',
    undoIntro:
      'Адрес, на который пришло это письмо, снова станет адресом вашей учётной записи, на всех устройствах будет выполнен выход, и вы получите ссылку, чтобы задать новый пароль.',
    undoButton: 'Отменить смену адреса',
    undone:
      'Смена адреса отменена. На ваш адрес отправлена ссылка, чтобы задать новый пароль: воспользуйтесь ею сейчас.',
    emailTaken: 'Этот адрес уже принадлежит другой учётной записи.',
    lastAdmin:
      'Эту учётную запись нельзя удалить: это единственный администратор. Сообщите тем, кто отвечает за сервис.',
    verified: 'Спасибо, адрес подтверждён. Эту страницу можно закрыть.',
    resetTitle: 'Новый пароль',
    resetIntro:
      'Число символов — не меньше {minimum}. Хороший пароль — несколько слов, никак не связанных друг с другом.',
    resetLabel: 'Новый пароль',
    resetShow: 'Показать пароль',
    resetButton: 'Сохранить пароль',
    reset: 'Пароль сохранён. Войдите с ним: на всех устройствах, где вы входили раньше, вход завершён.',
    unlockTitle: 'Вход на этом устройстве',
    unlockIntro:
      'Кто-то слишком много раз пробовал подобрать пароль к вашей учётной записи, поэтому с новых устройств войти нельзя. Одно нажатие — и с этого устройства снова можно войти.',
    unlockButton: 'Разрешить вход',
    unlocked: 'Готово: вернитесь на страницу входа и введите пароль на этом устройстве.',
    tooShort: 'Пароль слишком короткий: нужно символов не меньше {minimum}.',
    tooLong: 'Пароль слишком длинный: можно символов не больше {maximum}.',
    tooWeak:
      'Этот пароль слишком легко угадать. Выберите другой: не из распространённых и без вашего имени пользователя или имени из адреса.',
    noToken: 'Ссылка неполная. Откройте её из письма ещё раз или скопируйте целиком.',
    badLink:
      'Ссылка больше не действует: она уже использована, её срок истёк, или отправлена более новая. Запросите новую там, где вы входите.',
    busy: 'Сейчас не получилось. Попробуйте ещё раз через минуту.',
    noScript: 'Этой странице нужен JavaScript. Включите его или откройте ссылку в другом браузере.'
  }
}

export type TextName =
  | 'verifyTitle'
  | 'verifyIntro'
  | 'verifyAccount'
  | 'verifyButton'
  | 'disownButton'
  | 'disownIntro'
  | 'disowned'
  | 'undoTitle'
  | 'undoIntro'
  | 'undoButton'
  | 'undone'
  | 'emailTaken'
  | 'lastAdmin'
  | 'verified'
  | 'resetTitle'
  | 'resetIntro'
  | 'resetLabel'
  | 'resetShow'
  | 'resetButton'
  | 'reset'
  | 'unlockTitle'
  | 'unlockIntro'
  | 'unlockButton'
  | 'unlocked'
  | 'tooShort'
  | 'tooLong'
  | 'tooWeak'
  | 'noToken'
  | 'badLink'
  | 'busy'
  | 'noScript'
