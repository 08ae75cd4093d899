"""Device profiles: one TOML file a meter model, and the loader that checks them."""
