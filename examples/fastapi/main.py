"""Articles in memory: readers read, authors write, and delete their own."""

from typing import Annotated
from uuid import uuid4

from fastapi import Depends, FastAPI, HTTPException
from pydantic import BaseModel, ConfigDict, Field

from gatehouse import AccessProblem, Caller, answer_problem, authenticate, require_role

app = FastAPI(title="Articles")
app.add_exception_handler(AccessProblem, answer_problem)

Reader = Annotated[Caller, Depends(require_role("reader"))]
Author = Annotated[Caller, Depends(require_role("author"))]


class NewArticle(BaseModel):
    model_config = ConfigDict(extra="forbid")

    title: str = Field(min_length=1, max_length=200)


class Article(NewArticle):
    id: str
    author: str


articles: dict[str, Article] = {}


@app.get("/me")
def read_me(caller: Annotated[Caller, Depends(authenticate)]) -> dict[str, str | list[str]]:
    return {"name": caller.name, "roles": list(caller.roles)}


@app.get("/articles")
def list_articles(_caller: Reader) -> list[Article]:
    return list(articles.values())


@app.post("/articles", status_code=201)
def write_article(caller: Author, article: NewArticle) -> Article:
    written = Article(id=str(uuid4()), author=caller.id, title=article.title)
    articles[written.id] = written
    return written


@app.delete("/articles/{article_id}", status_code=204)
def delete_article(caller: Author, article_id: str) -> None:
    article = articles.get(article_id)
    # Another author's is none of the caller's business: as if it were not there.
    if article is None or article.author != caller.id:
        raise HTTPException(404, "Not found")
    del articles[article_id]
