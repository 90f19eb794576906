/** Supabase as far as the specification's client asks it: for a new session, of which the page holds a supply. */
export const supabase = {
  refreshed: [],
  auth: {
    async refreshSession() {
      const token = supabase.refreshed.length > 1 ? supabase.refreshed.shift() : supabase.refreshed[0];
      return { data: { session: token ? { access_token: token } : null } };
    },
  },
};
