import { createStore } from './store.js';

export const useAuthStore = createStore((set) => ({
  session: null,
  setSession: (session) => set({ session }),
}));
