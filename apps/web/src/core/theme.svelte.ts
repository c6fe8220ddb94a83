import { remember, remembered } from './remembered';

export const THEMES = ['dark', 'light', 'system'] as const;
export type ThemeName = (typeof THEMES)[number];

class Theme {
  #name = $state<ThemeName>(THEMES.find((one) => one === remembered('theme')) ?? 'dark');

  get name(): ThemeName {
    return this.#name;
  }

  set name(name: ThemeName) {
    this.#name = name;
    remember('theme', name);
    this.apply();
  }

  apply(): void {
    document.documentElement.dataset['theme'] = this.#name;
  }
}

/** Dark until the reader chooses: a wall is watched at night. */
export const theme = new Theme();
theme.apply();
