"""One address to read several collectors at: pages and API across slices. Holds no evidence."""
